// Package control carries commands to the running node: HTTP with JSON bodies over a Unix socket in the data directory.
// Only the owner of the directory can open the socket.
//
//	GET  /v1/status, /v1/peers, /v1/known, /v1/auth, /v1/allowlist, /v1/pending, /v1/config, /v1/events
//	POST /v1/connect, /v1/disconnect, /v1/send, /v1/broadcast, /v1/request, /v1/ping, /v1/resolve, /v1/allow, /v1/revoke,
//	     /v1/auth, /v1/forget, /v1/alias, /v1/reload, /v1/handle
//
// Server and client are the same binary: both use the types below and refuse unknown keys.
package control

import (
	"encoding/json"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/settings"

	"github.com/Snider/go-p2p/wire"
)

// ConnectRequest asks the node to dial an address and to keep its peer connected.
type ConnectRequest struct {
	Address   string `json:"address"`
	TimeoutMs int64  `json:"timeoutMs"`
}

// Connected is the peer that answered at an address.
type Connected struct {
	Peer    string `json:"peer"`
	Name    string `json:"name"`
	Address string `json:"address"`
}

// DisconnectRequest asks the node to close all connections to a peer and to stop redialling it, or to close only the
// connection with one number.
type DisconnectRequest struct {
	Peer       string `json:"peer,omitempty"`
	Connection uint64 `json:"connection,omitempty"` // number; excludes Peer and Forget
	Forget     bool   `json:"forget,omitempty"`     // also remove the peer from the peer book
	ForMs      int64  `json:"forMs,omitempty"`      // refuse the peer for this long; excludes Connection and Forget
}

// Disconnected answers a DisconnectRequest.
type Disconnected struct {
	Peer       string `json:"peer"`                 // node ID; claimed if Verified is false
	Connection uint64 `json:"connection,omitempty"` // as in the request
	Forgotten  bool   `json:"forgotten"`
	Inbound    bool   `json:"inbound"`   // the peer dialled this node and may dial again
	Verified   bool   `json:"verified"`  // the peer proved that it holds its key
	PublicKey  string `json:"publicKey"` // empty if the peer was not connected

	Until time.Time `json:"until,omitzero"` // the peer is refused until then
}

// MessageRequest describes a message for one peer, with or without a reply, or for all peers.
type MessageRequest struct {
	Peer      string          `json:"peer,omitempty"` // empty for a broadcast
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	ReplyTo   string          `json:"replyTo,omitempty"`
	Role      string          `json:"role,omitempty"` // of a broadcast: only to peers of this role
	TimeoutMs int64           `json:"timeoutMs"`
}

// Sent answers a MessageRequest for one peer with the message ID.
type Sent struct {
	ID string `json:"id"`
}

// Broadcasted answers a broadcast. Sent counts the peers that took the message.
type Broadcasted struct {
	ID     string    `json:"id"`
	Sent   int       `json:"sent"`
	Failed []Failure `json:"failed"` // never nil
}

// Failure is a peer that missed a broadcast, with the cause.
type Failure struct {
	Peer  string `json:"peer"`
	Error string `json:"error"`
}

// ResolveRequest asks for the node ID of a peer given by ID, prefix or name.
type ResolveRequest struct {
	Peer string `json:"peer"`
}

// Resolved answers a ResolveRequest with the node ID.
type Resolved struct {
	Peer string `json:"peer"`
}

// PingRequest asks for one round trip.
type PingRequest struct {
	Peer      string `json:"peer"`
	TimeoutMs int64  `json:"timeoutMs"`
}

// RoundTrip answers a PingRequest.
type RoundTrip struct {
	Peer string  `json:"peer"`
	Ms   float64 `json:"ms"`
}

// Keys lists keys to allow or to revoke. In a request, each is a public key in base64, an alias, a node ID or an ID
// prefix; the answer has the public keys.
type Keys struct {
	Keys    []string `json:"keys"`
	Pending bool     `json:"pending,omitempty"` // the keys are those of pending peers, by ID or prefix; only to allow
}

// AliasRequest gives a peer a local name. An empty name removes it.
type AliasRequest struct {
	Peer  string `json:"peer"` // whole node ID, or what stands for a known peer
	Alias string `json:"alias"`
}

// Aliased answers an AliasRequest.
type Aliased struct {
	Peer  string `json:"peer"` // node ID
	Alias string `json:"alias"`
}

// ForgetRequest asks the node to remove peers from the peer book: those of Peers, or else those that are not in use and
// that Unverified or OlderMs selects. With Pin it forgets only which additions of the protocol the peers have used.
type ForgetRequest struct {
	Peers      []string `json:"peers,omitempty"`      // IDs, prefixes or names
	Pin        bool     `json:"pin,omitempty"`        // only with Peers
	Unverified bool     `json:"unverified,omitempty"` // never verified; excludes Peers
	OlderMs    int64    `json:"olderMs,omitempty"`    // not seen for this long; excludes Peers
}

// Forgotten answers a ForgetRequest with node IDs.
type Forgotten struct {
	Forgotten []string `json:"forgotten"` // never nil
	Pin       bool     `json:"pin"`       // as in the request
}

// Auth is the mode in force: open or allowlist.
type Auth struct {
	Auth   string `json:"auth"`
	Stored bool   `json:"stored"` // set by command, in this run or an earlier one; ignored in a request

	// Disconnected is the number of peers that the change disconnects; absent if the mode was not set.
	Disconnected *int   `json:"disconnected,omitempty"`
	Warning      string `json:"warning,omitempty"` // the mode admits no peer
}

// Reloaded lists the settings that a reload put in force and those that changed but need a restart, by name.
type Reloaded struct {
	Changed     []string `json:"changed"`     // never nil
	NeedRestart []string `json:"needRestart"` // never nil
}

// Configuration lists every setting, and the settings file that was read, or "".
type Configuration struct {
	Settings []settings.Value `json:"settings"`
	File     string           `json:"file"`
}

// Code classifies an Error.
type Code string

// The codes. Each has an HTTP status; commands map it to their exit status.
const (
	CodeUsage        Code = "usage"         // the request is invalid
	CodeUnknownPeer  Code = "unknown_peer"  // no known peer has this ID or name
	CodeAmbiguous    Code = "ambiguous"     // several peers have this name or prefix
	CodeClaimedName  Code = "claimed_name"  // only a name that peers claim, where a name is refused
	CodeNotConnected Code = "not_connected" // the peer is known but not connected, or its connection just ended
	CodeRefused      Code = "refused"       // the peer is unreachable or refused the connection
	CodeTimeout      Code = "timeout"       // no answer within the timeout
	CodeTooLarge     Code = "too_large"     // larger than the maximum message size
	CodeConflict     Code = "conflict"      // another command has it already
	CodeQueueFull    Code = "queue_full"    // the peer reads more slowly than this node sends
	CodeRemote       Code = "remote"        // the peer answered a request with an error
	CodeFailed       Code = "failed"        // any other failure
)

// Error is a failure that the node reports as JSON.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // the remedy; empty: that of the code

	RemoteCode wire.ErrorCode `json:"remoteCode,omitempty"` // of the peer's answer, with CodeRemote
}

func (e *Error) Error() string { return e.Message }

const (
	defaultTimeout = 30 * time.Second // of requests without a timeout
	maxTimeout     = 365 * 24 * time.Hour

	// bodySlack is the number of bytes that a request may have besides its payload.
	bodySlack = 64 << 10
)
