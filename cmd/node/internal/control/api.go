// Package control is the HTTP API of the running node, on a Unix socket in the data directory: JSON bodies, and
// server-sent events for streams. Only the owner of the directory can open the socket. docs/api.md is its contract, and
// Handler.Operations is the table of its paths.
//
// Commands use the API through Client, programs in other languages directly.
package control

// The JSON of requests and answers. A key of a request is required unless its tag has omitempty. The comments of fields
// are published in the OpenAPI description.
import (
	"encoding/json"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
)

// ConnectRequest asks the node to dial an address and to keep its peer connected.
type ConnectRequest struct {
	Address   string `json:"address"`             // host:port, ws://… or wss://…
	TimeoutMs int64  `json:"timeoutMs,omitempty"` // absent: 30000
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

// PeerPage is one page of the list of peers.
type PeerPage struct {
	Peers []output.Peer `json:"peers"`          // never nil
	Next  string        `json:"next,omitempty"` // value of the parameter after for the next page; absent: this is the last

	// Unanswered are the members whose peers are missing, because they did not answer.
	Unanswered []string `json:"unanswered,omitempty"`
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

	Member string `json:"member,omitempty"` // the other member that was connected to the peer; absent: this process
}

// MessageRequest describes a message for one peer.
type MessageRequest struct {
	Peer      string          `json:"peer"`                // alias, node ID, prefix of one or name
	Type      string          `json:"type"`                // word that both sides agree on, such as chat
	Payload   json.RawMessage `json:"payload,omitempty"`   // any JSON; absent: null
	ReplyTo   string          `json:"replyTo,omitempty"`   // ID of the message that this one answers
	TimeoutMs int64           `json:"timeoutMs,omitempty"` // absent: 30000
}

// BroadcastRequest describes a message for all peers.
type BroadcastRequest struct {
	Type      string          `json:"type"`                // word that both sides agree on, such as chat
	Payload   json.RawMessage `json:"payload,omitempty"`   // any JSON; absent: null
	ReplyTo   string          `json:"replyTo,omitempty"`   // ID of the message that this one answers
	Role      string          `json:"role,omitempty"`      // only to peers of this role: controller, worker or dual
	TimeoutMs int64           `json:"timeoutMs,omitempty"` // absent: 30000
}

// Sent answers a MessageRequest for one peer with the message ID.
type Sent struct {
	ID string `json:"id"` // of the message; an answer has it in replyTo
}

// Broadcasted answers a broadcast. Sent counts the peers that took the message.
type Broadcasted struct {
	ID     string    `json:"id"`     // of the message
	Sent   int       `json:"sent"`   // peers that took the message
	Failed []Failure `json:"failed"` // never nil
}

// Failure is a peer that missed a broadcast, with the cause.
type Failure struct {
	Peer  string `json:"peer"` // node ID
	Error string `json:"error"`
}

// ResolveRequest asks for the node ID of a peer given by ID, prefix or name.
type ResolveRequest struct {
	Peer string `json:"peer"` // alias, node ID, prefix of one or name
}

// Resolved answers a ResolveRequest with the node ID.
type Resolved struct {
	Peer string `json:"peer"` // node ID
}

// PingRequest asks for one round trip.
type PingRequest struct {
	Peer      string `json:"peer"`                // alias, node ID, prefix of one or name
	TimeoutMs int64  `json:"timeoutMs,omitempty"` // absent: 30000
}

// RoundTrip answers a PingRequest.
type RoundTrip struct {
	Peer string  `json:"peer"` // node ID
	Ms   float64 `json:"ms"`   // milliseconds
}

// KeysRequest lists keys to allow or to revoke.
type KeysRequest struct {
	Keys    []string `json:"keys"`              // each a public key in base64, an alias, a node ID or a prefix of one
	Pending bool     `json:"pending,omitempty"` // the keys are those of pending peers, by ID or prefix; only to allow
}

// Keys answers a KeysRequest.
type Keys struct {
	Keys []string `json:"keys"` // public keys in base64
}

// AliasRequest gives a peer a local name. An empty name removes it.
type AliasRequest struct {
	Peer  string `json:"peer"`  // whole node ID; or alias, prefix of an ID or name of a known peer
	Alias string `json:"alias"` // empty: remove it
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

// AuthRequest sets the authorization mode.
type AuthRequest struct {
	Auth string `json:"auth"` // open or allowlist
}

// Auth is the mode in force.
type Auth struct {
	Auth   string `json:"auth"`   // open or allowlist
	Stored bool   `json:"stored"` // set by command, in this run or an earlier one

	Disconnected *int   `json:"disconnected,omitempty"` // peers of this process that a change disconnects; else absent
	Member       string `json:"member,omitempty"`       // whose peers Disconnected counts; absent without a cluster
	Warning      string `json:"warning,omitempty"`      // the mode admits no peer
}

// Reloaded lists the settings that a reload put in force and those that changed but need a restart, by name.
type Reloaded struct {
	Changed     []string `json:"changed"`     // never nil
	NeedRestart []string `json:"needRestart"` // never nil
}

// Configuration lists every setting, and the settings file that was read, or "".
type Configuration struct {
	Settings []settings.Value `json:"settings"`
	File     string           `json:"file"` // settings file that was read; empty: none
}

// DrainRequest asks the member to move its peers to the other members.
type DrainRequest struct {
	Wait      bool  `json:"wait,omitempty"`      // answer when that is done
	TimeoutMs int64 `json:"timeoutMs,omitempty"` // of Wait; absent: 30000
}

// Drained answers a DrainRequest.
type Drained struct {
	Member      string `json:"member"`      // name of the member
	Done        bool   `json:"done"`        // all peers were told to leave
	Connections int    `json:"connections"` // that are open now
}

// HandleRequest asks for the messages of one type, as their only handler.
type HandleRequest struct {
	Type string `json:"type"`
}

const (
	defaultTimeout = 30 * time.Second // of requests without a timeout
	maxTimeout     = 365 * 24 * time.Hour

	// bodySlack is the number of bytes that a request may have besides its payload.
	bodySlack = 64 << 10
)
