package crypto

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// Errors of a NodeManager.
var (
	// ErrIdentityExists refuses to make an identity where there already is one.
	ErrIdentityExists = errors.New("this node already has an identity")
	// ErrNoIdentity refuses what cannot be done before an identity was generated.
	ErrNoIdentity = errors.New("this node has no identity yet: generate one first")
)

// NodeManager holds a node's identity and private key, and keeps both in one
// file when it has a directory. The private key never leaves it: all that it
// gives away are shared secrets. All methods are safe for concurrent use, also
// by several processes on one directory.
type NodeManager struct {
	dir string // fixed; empty: in memory only

	mu       sync.RWMutex
	identity NodeIdentity
	public   PublicKey
	private  *ecdh.PrivateKey // nil: no identity

	challengeKey *[32]byte // derived from private; nil: no identity
}

// NewNodeManager is NewNodeManagerAt(DefaultDataDir()).
func NewNodeManager() (*NodeManager, error) { return NewNodeManagerAt(DefaultDataDir()) }

// NewNodeManagerAt loads the identity kept in dir. When there is none, or no
// dir, the manager is without identity until Generate. An identity file that is
// damaged, not a regular file, belongs to another user or is open to others is an
// error that names it, and is left as it is; so is a directory that others can
// write to.
func NewNodeManagerAt(dir string) (*NodeManager, error) {
	if dir == "" {
		return nil, errors.New("the data directory has no name: set one")
	}
	if err := datadir.Check(dir); err != nil {
		return nil, err
	}
	m := &NodeManager{dir: dir}
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, nil
}

// NewEphemeralNodeManager makes a fresh identity that lives in memory only.
func NewEphemeralNodeManager(name string, role NodeRole) (*NodeManager, error) {
	m := &NodeManager{}
	if err := m.Generate(name, role); err != nil {
		return nil, err
	}
	return m, nil
}

// NodeManagerFromPrivateKey makes a manager, in memory only, for a private key
// of 32 raw bytes (protocol section 1) that is kept elsewhere. The key is copied.
func NodeManagerFromPrivateKey(key []byte, name string, role NodeRole, createdAt time.Time) (*NodeManager, error) {
	private, err := ecdh.X25519().NewPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("private key refused: %d bytes instead of %d", len(key), KeySize)
	}
	identity, err := newIdentity(private, name, role, createdAt)
	if err != nil {
		return nil, err
	}
	m := &NodeManager{}
	m.set(identity, private)
	return m, nil
}

func newIdentity(private *ecdh.PrivateKey, name string, role NodeRole, createdAt time.Time) (NodeIdentity, error) {
	if _, err := ParseRole(string(role)); err != nil {
		return NodeIdentity{}, err
	}
	if err := CheckName(name); err != nil {
		return NodeIdentity{}, err
	}
	public := PublicKey(private.PublicKey().Bytes())
	return NodeIdentity{
		ID: public.NodeID(), Name: name, PublicKey: public.String(), CreatedAt: createdAt, Role: role,
	}, nil
}

// set takes over an identity; the caller holds the lock or is the only one to know m.
func (m *NodeManager) set(identity NodeIdentity, private *ecdh.PrivateKey) {
	m.identity, m.private = identity, private
	m.public = PublicKey(private.PublicKey().Bytes())
	m.challengeKey = challengeKeyOf(private)
}

// load takes over the identity on disk, if there is one; locking as for set.
func (m *NodeManager) load() error {
	identity, private, err := readKeyFile(m.dir)
	if err == nil && private != nil {
		m.set(identity, private)
	}
	return err
}

// HasIdentity tells whether there is an identity.
func (m *NodeManager) HasIdentity() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.private != nil
}

// Identity returns the node's identity, the zero value when there is none.
func (m *NodeManager) Identity() NodeIdentity {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.identity
}

// PublicKey returns the node's public key, all zeroes when there is no identity.
func (m *NodeManager) PublicKey() PublicKey {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.public
}

// Generate makes a new identity and, unless the manager is in memory only, keeps
// it on disk before it returns: in a directory of mode 0700, in a file of mode
// 0600 from its first moment. It never replaces an identity: when there is one
// already the error is ErrIdentityExists, and the manager has that identity,
// also when another process made it a moment ago. Other errors are ErrRole,
// ErrName and those of the file system.
func (m *NodeManager) Generate(name string, role NodeRole) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.private != nil {
		return ErrIdentityExists
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("generate a private key: %w", err)
	}
	identity, err := newIdentity(private, name, role, time.Now().UTC().Truncate(time.Second))
	if err != nil {
		return err
	}
	if m.dir != "" {
		err = writeKeyFile(m.dir, identity, private)
	}
	if errors.Is(err, ErrIdentityExists) {
		if loadErr := m.load(); loadErr != nil { // somebody else's file, and damaged or not for us
			return loadErr
		}
		return err
	}
	if err != nil {
		return err
	}
	m.set(identity, private)
	return nil
}

// Delete forgets the identity and removes it from disk, for ever: peers that
// knew this node will not know its next identity. Without an identity the error
// is ErrNoIdentity.
func (m *NodeManager) Delete() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.private == nil {
		return ErrNoIdentity
	}
	if m.dir != "" {
		if err := removeKeyFile(m.dir); err != nil {
			return err
		}
	}
	m.identity, m.public, m.private, m.challengeKey = NodeIdentity{}, PublicKey{}, nil, nil
	return nil
}

// SharedSecret returns what this node shares with the owner of a public key:
// SHA-256 of the X25519 result, the same on both sides (protocol section 1).
// Errors: ErrNoIdentity, or ErrPublicKey for a key of low order or not in
// canonical form.
func (m *NodeManager) SharedSecret(peer PublicKey) (SharedSecret, error) {
	m.mu.RLock()
	private := m.private
	m.mu.RUnlock()
	if private == nil {
		return SharedSecret{}, ErrNoIdentity
	}
	if err := peer.check(); err != nil {
		return SharedSecret{}, err
	}
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return SharedSecret{}, fmt.Errorf("%w: %v", ErrPublicKey, err)
	}
	shared, err := private.ECDH(public) // refuses a result of all zeroes by itself, too
	if err != nil {
		return SharedSecret{}, fmt.Errorf("%w: %v", ErrPublicKey, err)
	}
	return sha256.Sum256(shared), nil
}
