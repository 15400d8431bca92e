package peerbook

import (
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Peer is an entry of the peer book. Values can be compared with ==.
type Peer struct {
	ID         string          `json:"id"`        // node ID
	Name       string          `json:"name"`      // chosen by the peer: quote it in output
	PublicKey  string          `json:"publicKey"` // base64
	Address    string          `json:"address"`   // dialled first; empty if the peer has only dialled this node
	Role       crypto.NodeRole `json:"role"`
	AddedAt    time.Time       `json:"addedAt"`
	LastSeen   time.Time       `json:"lastSeen"`
	Persistent bool            `json:"persistent"`      // kept connected
	Binds      bool            `json:"binds,omitempty"` // has bound a frame to its connection (protocol section 7)
	// Session is the pin: the peer has spoken session/1 (protocol section 9). It is set only together with Binds.
	Session bool `json:"session,omitzero"`

	// NamedAt is the time at which the peer took its present name; zero: AddedAt.
	NamedAt time.Time `json:"namedAt,omitzero"`
	// Addresses are other addresses at which the peer has answered, the newest first; at most 4. They are dialled when
	// Address fails.
	Addresses TextList `json:"addresses,omitzero"`
	// Features were announced by the peer on its last bound connection; at most 16 of 64 bytes.
	Features TextList `json:"features,omitzero"`
}

// ForgetProtocol forgets which protocol additions the peer has used: features, bound frames and sessions.
func (p *Peer) ForgetProtocol() { p.Binds, p.Session, p.Features = false, false, TextList{} }

// AnsweredAt records an address at which the peer was reached. An address that was assigned to this peer, by its ID,
// is dialled first from then on. Any other, such as a configured address that may be a relay's, does not replace the
// address of a persistent peer. The address that is not dialled first is kept in Addresses.
func (p *Peer) AnsweredAt(address string, assigned bool) {
	first, other := address, p.Address
	if p.Persistent && p.Address != "" && !assigned {
		first, other = p.Address, address
	}
	others := []string{other}
	for _, known := range p.Addresses.All() {
		if known != other {
			others = append(others, known)
		}
	}
	p.Address = first
	p.Addresses = NewTextList(others...).first(maxPeerAddresses, func(text string) bool { return text != first })
}

// KeepAt records that the peer is kept connected at an address that was assigned to it.
func (p *Peer) KeepAt(address string) {
	p.Persistent = true
	p.AnsweredAt(address, true)
}
