package supervisor

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

// PeerAuthMode says who may connect.
type PeerAuthMode int

// AuthMode is short for PeerAuthMode.
type AuthMode = PeerAuthMode

// The modes.
const (
	PeerAuthOpen      PeerAuthMode = iota // everybody who is not revoked
	PeerAuthAllowlist                     // who is on the allowlist
)

// String returns "open" or "allowlist".
func (m PeerAuthMode) String() string {
	if m == PeerAuthAllowlist {
		return "allowlist"
	}
	return "open"
}

func (m PeerAuthMode) valid() bool { return m == PeerAuthOpen || m == PeerAuthAllowlist }

// ParseAuthMode is the opposite of String.
func ParseAuthMode(text string) (AuthMode, error) {
	switch text {
	case "open":
		return PeerAuthOpen, nil
	case "allowlist":
		return PeerAuthAllowlist, nil
	}
	return 0, fmt.Errorf("%q is no auth mode: give open or allowlist", text)
}
