package supervisor

import "github.com/Snider/go-p2p/supervisor/peerbook"

// Names of package peerbook, for programs that import only this package.
type (
	// PeerRegistry is the peer book: known peers, allowlist and revoked keys.
	PeerRegistry = peerbook.Book
	// Peer is an entry of the peer book.
	Peer = peerbook.Peer
	// TextList is a list of texts that can be compared with ==.
	TextList = peerbook.TextList
	// AuthMode selects the peers that may connect.
	AuthMode = peerbook.AuthMode
)

// The auth modes.
const (
	PeerAuthOpen      = peerbook.AuthOpen      // every key that is not revoked
	PeerAuthAllowlist = peerbook.AuthAllowlist // keys on the allowlist
)

// Errors of the peer book.
var (
	ErrInUse      = peerbook.ErrInUse      // another process has the file open
	ErrAlias      = peerbook.ErrAlias      // a name cannot be an alias
	ErrAliasTaken = peerbook.ErrAliasTaken // another peer has the alias
	ErrBookWrite  = peerbook.ErrWrite      // a change could not be written to disk
)

// NewPeerRegistry returns an empty book that lives in memory only.
func NewPeerRegistry() *PeerRegistry { return peerbook.New() }

// PeerRegistryOption is an option of OpenPeerRegistry.
type PeerRegistryOption = peerbook.Option

// KnownPeers sets the number of peers in the book. See peerbook.KnownPeers.
func KnownPeers(n int) PeerRegistryOption { return peerbook.KnownPeers(n) }

// OpenPeerRegistry opens the book at path or makes an empty one. See peerbook.Open.
func OpenPeerRegistry(path string, options ...PeerRegistryOption) (*PeerRegistry, error) {
	return peerbook.Open(path, options...)
}

// ParseAuthMode returns the mode of "open" or "allowlist".
func ParseAuthMode(text string) (AuthMode, error) { return peerbook.ParseAuthMode(text) }
