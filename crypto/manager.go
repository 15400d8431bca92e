package crypto

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// Errors of a NodeManager.
var (
	// ErrIdentityExists means that the node already has an identity; Generate does not replace it.
	ErrIdentityExists = errors.New("this node already has an identity")
	// ErrNoIdentity means that the operation requires an identity and the node has none yet.
	ErrNoIdentity = errors.New("this node has no identity yet: generate one first")
)

// NodeManager holds a node's identity and private key (protocol section 1). If it has a directory it stores both in one
// file. It never exposes the private key, only shared secrets. All methods are safe for concurrent use, also by several
// processes with the same directory.
type NodeManager struct {
	file   string // immutable; empty: in memory only
	shared bool   // immutable: the file may be one that several processes read

	mu       sync.RWMutex
	identity NodeIdentity
	public   PublicKey
	private  *ecdh.PrivateKey // nil: no identity

	challengeKey *[32]byte // derived from private; nil: no identity
}

// NewNodeManager calls NewNodeManagerAt(DefaultDataDir()).
func NewNodeManager() (*NodeManager, error) { return NewNodeManagerAt(DefaultDataDir()) }

// NewNodeManagerAt loads the identity stored in dir. If dir or the identity file does not exist, the manager has no
// identity until Generate. It returns an error that names the path, and changes no file, if the identity file is
// damaged, is not a regular file, belongs to another user or is accessible to other users, or if other users can
// write to dir.
func NewNodeManagerAt(dir string) (*NodeManager, error) {
	if dir == "" {
		return nil, errors.New("the name of the data directory is empty: set one")
	}
	if err := datadir.Check(dir); err != nil {
		return nil, err
	}
	m := &NodeManager{file: filepath.Join(dir, keyFileName)}
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, nil
}

// NewNodeManagerFile is NewNodeManagerAt for an identity file of any name, which several processes may use. The file
// may also belong to root and be readable for a group of this process, as a secret that a container is given, and its
// directory may be writable for others.
func NewNodeManagerFile(path string) (*NodeManager, error) {
	if path == "" {
		return nil, errors.New("the name of the identity file is empty: give one")
	}
	m := &NodeManager{file: path, shared: true}
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, nil
}

// NewEphemeralNodeManager returns a manager with a new identity that is kept in memory only. Errors are ErrRole and
// ErrName.
func NewEphemeralNodeManager(name string, role NodeRole) (*NodeManager, error) {
	m := &NodeManager{}
	if err := m.Generate(name, role); err != nil {
		return nil, err
	}
	return m, nil
}

// NodeManagerFromPrivateKey returns a manager, in memory only, for a private key of 32 raw bytes (protocol section
// 1). It copies the key. Errors are ErrRole, ErrName and that of a key of another length.
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

// set stores an identity. The caller must hold m.mu or be the only user of m.
func (m *NodeManager) set(identity NodeIdentity, private *ecdh.PrivateKey) {
	m.identity, m.private = identity, private
	m.public = PublicKey(private.PublicKey().Bytes())
	m.challengeKey = challengeKeyOf(private)
}

// load stores the identity on disk, if any. Locking is that of set.
func (m *NodeManager) load() error {
	identity, private, err := readKeyFile(m.file, m.shared)
	if err == nil && private != nil {
		m.set(identity, private)
	}
	return err
}

// HasIdentity reports whether the node has an identity.
func (m *NodeManager) HasIdentity() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.private != nil
}

// Identity returns the node's identity, or the zero value if it has none.
func (m *NodeManager) Identity() NodeIdentity {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.identity
}

// PublicKey returns the node's public key, or zeros if it has no identity.
func (m *NodeManager) PublicKey() PublicKey {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.public
}

// Generate creates a new identity. Unless the manager is in memory only, it stores the identity on disk before it
// returns, in a file created with mode 0600 in a directory of mode 0700. It never replaces an identity: if one
// exists, also one that another process has just created, the error is ErrIdentityExists and the manager has that
// identity. Other errors are ErrRole, ErrName and those of the file system.
func (m *NodeManager) Generate(name string, role NodeRole) error {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("generate a private key: %w", err)
	}
	return m.create(private, name, role, time.Now().UTC().Truncate(time.Second))
}

// Import is Generate with a private key of 32 raw bytes (protocol section 1), as deployed nodes store it. It copies the
// key.
func (m *NodeManager) Import(key []byte, name string, role NodeRole, createdAt time.Time) error {
	private, err := ecdh.X25519().NewPrivateKey(key)
	if err != nil {
		return fmt.Errorf("private key refused: %d bytes instead of %d", len(key), KeySize)
	}
	return m.create(private, name, role, createdAt)
}

// create stores a new identity with a private key.
func (m *NodeManager) create(private *ecdh.PrivateKey, name string, role NodeRole, createdAt time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.private != nil {
		return ErrIdentityExists
	}
	identity, err := newIdentity(private, name, role, createdAt)
	if err != nil {
		return err
	}
	if m.file != "" {
		err = writeKeyFile(m.file, identity, private)
	}
	if errors.Is(err, ErrIdentityExists) {
		if loadErr := m.load(); loadErr != nil { // the file of another process is damaged or not accessible
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

// Delete removes the identity from memory and disk. It cannot be restored: peers that know this node will not
// recognise its next identity. Errors are ErrNoIdentity and those of the file system.
func (m *NodeManager) Delete() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.private == nil {
		return ErrNoIdentity
	}
	if m.file != "" {
		if err := removeKeyFile(m.file); err != nil {
			return err
		}
	}
	m.identity, m.public, m.private, m.challengeKey = NodeIdentity{}, PublicKey{}, nil, nil
	return nil
}

// SharedSecret returns the secret that this node shares with the owner of a public key: SHA-256 of the X25519 result,
// the same on both sides (protocol section 1). Errors are those of Exchange.
func (m *NodeManager) SharedSecret(peer PublicKey) (SharedSecret, error) {
	shared, err := m.Exchange(peer)
	if err != nil {
		return SharedSecret{}, err
	}
	defer clear(shared[:])
	return sha256.Sum256(shared[:]), nil
}

// Exchange returns the X25519 result of the node's private key and peer, which may be an ephemeral key (protocol
// section 9). The caller derives keys from it and clears it. Errors are ErrNoIdentity, and ErrPublicKey for a key of
// low order or not in canonical form.
func (m *NodeManager) Exchange(peer PublicKey) ([KeySize]byte, error) {
	m.mu.RLock()
	private := m.private
	m.mu.RUnlock()
	if private == nil {
		return [KeySize]byte{}, ErrNoIdentity
	}
	if err := peer.check(); err != nil {
		return [KeySize]byte{}, err
	}
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return [KeySize]byte{}, fmt.Errorf("%w: %v", ErrPublicKey, err)
	}
	shared, err := private.ECDH(public) // also refuses a result of zeros
	if err != nil {
		return [KeySize]byte{}, fmt.Errorf("%w: %v", ErrPublicKey, err)
	}
	defer clear(shared)
	return [KeySize]byte(shared), nil
}
