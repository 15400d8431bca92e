// Package control is how commands reach the running node: HTTP with JSON bodies over a Unix socket in the data
// directory, which only the owner of the directory can open.
//
//	GET  /v1/status, /v1/peers, /v1/known, /v1/auth
//	POST /v1/connect, /v1/disconnect, /v1/send, /v1/broadcast, /v1/request, /v1/ping, /v1/resolve, /v1/allow, /v1/revoke,
//	     /v1/auth, /v1/reload
//
// Server and client are always the same binary, so the two sides share the types below and refuse unknown keys.
package control

import (
	"encoding/json"
	"time"
)

// ConnectRequest asks the node to dial an address and to keep that peer connected.
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

// DisconnectRequest asks the node to close all connections to a peer and to stop redialling it, or to close one connection
// and nothing else.
type DisconnectRequest struct {
	Peer       string `json:"peer,omitempty"`
	Connection uint64 `json:"connection,omitempty"` // number; in place of Peer and Forget
	Forget     bool   `json:"forget,omitempty"`     // remove the peer from the peer book, too
}

// Disconnected answers a DisconnectRequest.
type Disconnected struct {
	Peer       string `json:"peer"`                 // node ID; of an unverified connection the claimed one
	Connection uint64 `json:"connection,omitempty"` // number, if it alone was to be closed
	Forgotten  bool   `json:"forgotten"`
	Inbound    bool   `json:"inbound"`   // the peer has dialled this node and may do so again
	Verified   bool   `json:"verified"`  // the peer has proven that it holds its key
	PublicKey  string `json:"publicKey"` // empty if the peer was not connected
}

// MessageRequest is a message to send: to one peer, to all, or as a question.
type MessageRequest struct {
	Peer      string          `json:"peer,omitempty"` // empty for a broadcast
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	ReplyTo   string          `json:"replyTo,omitempty"`
	TimeoutMs int64           `json:"timeoutMs"`
}

// Sent is the id of a message that was sent.
type Sent struct {
	ID string `json:"id"`
}

// Broadcasted says who took a broadcast.
type Broadcasted struct {
	ID     string    `json:"id"`
	Sent   int       `json:"sent"`
	Failed []Failure `json:"failed"` // never nil
}

// Failure is a peer that did not get a broadcast, and why.
type Failure struct {
	Peer  string `json:"peer"`
	Error string `json:"error"`
}

// ResolveRequest asks which peer a person means.
type ResolveRequest struct {
	Peer string `json:"peer"`
}

// Resolved is the node ID of that peer.
type Resolved struct {
	Peer string `json:"peer"`
}

// PingRequest asks for one round trip.
type PingRequest struct {
	Peer      string `json:"peer"`
	TimeoutMs int64  `json:"timeoutMs"`
}

// RoundTrip is the answer to a PingRequest.
type RoundTrip struct {
	Peer string  `json:"peer"`
	Ms   float64 `json:"ms"`
}

// Keys are public keys in base64, to allow or to revoke.
type Keys struct {
	Keys []string `json:"keys"`
}

// Auth is the mode in force: open or allowlist.
type Auth struct {
	Auth   string `json:"auth"`
	Stored bool   `json:"stored"` // it was set by command, now or in an earlier run; of no meaning in a request
}

// Reloaded says what came of reading the settings again: the names of settings that are in force now, and of those that
// have changed and need a restart.
type Reloaded struct {
	Changed     []string `json:"changed"`     // never nil
	NeedRestart []string `json:"needRestart"` // never nil
}

// Code says what kind of failure an Error is.
type Code string

// The codes. Each has a status of HTTP; what a command makes of it is up to the command.
const (
	CodeUsage        Code = "usage"         // the request can never work
	CodeUnknownPeer  Code = "unknown_peer"  // nobody has this ID or name
	CodeAmbiguous    Code = "ambiguous"     // several peers have this name or prefix
	CodeNotConnected Code = "not_connected" // the peer is known, but not connected, or it has just left
	CodeRefused      Code = "refused"       // the peer cannot be reached or does not want us
	CodeTimeout      Code = "timeout"       // no answer in time
	CodeTooLarge     Code = "too_large"     // larger than the largest message
	CodeQueueFull    Code = "queue_full"    // the peer reads too slowly
	CodeFailed       Code = "failed"        // anything else
)

// Error is a failure that the node reports. It travels as JSON.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // what to do, where the code alone does not say it
}

func (e *Error) Error() string { return e.Message }

const (
	defaultTimeout = 30 * time.Second // of requests that name none
	maxTimeout     = 365 * 24 * time.Hour

	// bodySlack is what a request may have beyond the largest payload: the other keys of its JSON.
	bodySlack = 64 << 10
)
