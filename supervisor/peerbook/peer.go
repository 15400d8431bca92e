package peerbook

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Peer is what a node knows of another one.
type Peer struct {
	ID         string          `json:"id"`        // node ID
	Name       string          `json:"name"`      // as the peer gives it: quote it before you print it
	PublicKey  string          `json:"publicKey"` // base64
	Address    string          `json:"address"`   // dialled first; empty when it has only dialled us
	Role       crypto.NodeRole `json:"role"`
	AddedAt    time.Time       `json:"addedAt"`
	LastSeen   time.Time       `json:"lastSeen"`
	Persistent bool            `json:"persistent"` // kept connected

	// NamedAt is since when the peer gives its name; zero: since AddedAt.
	NamedAt time.Time `json:"namedAt,omitzero"`
	// Addresses are other addresses at which the peer has answered, the newest first; at most 4. A dial uses them when
	// Address fails.
	Addresses TextList `json:"addresses,omitzero"`
	// Features are those that the peer announced on its last bound connection; at most 16 of 64 bytes.
	Features TextList `json:"features,omitzero"`
	Binds    bool     `json:"binds,omitempty"` // it has bound a frame to its connection (protocol section 7)
}

// AuthMode selects the peers that may connect.
type AuthMode int

// The modes.
const (
	AuthOpen      AuthMode = iota // every key that is not revoked
	AuthAllowlist                 // keys on the allowlist
)

// String returns "open" or "allowlist".
func (m AuthMode) String() string {
	if m == AuthAllowlist {
		return "allowlist"
	}
	return "open"
}

func (m AuthMode) valid() bool { return m == AuthOpen || m == AuthAllowlist }

// ParseAuthMode is the opposite of String.
func ParseAuthMode(text string) (AuthMode, error) {
	switch text {
	case "open":
		return AuthOpen, nil
	case "allowlist":
		return AuthAllowlist, nil
	}
	return 0, fmt.Errorf("%q is no auth mode: give open or allowlist", text)
}
