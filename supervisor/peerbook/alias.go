package peerbook

import (
	"errors"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Errors of SetAlias.
var (
	ErrAlias      = errors.New("this name cannot be an alias")
	ErrAliasTaken = errors.New("the alias is that of another peer")
)

// CheckAlias returns an ErrAlias if no peer can have this alias: it is not a valid name, or it is in the form of a node
// ID or of a public key, which it would hide.
func CheckAlias(name string) error {
	if err := crypto.CheckName(name); err != nil {
		return fmt.Errorf("%w: %w", ErrAlias, err)
	}
	if name == "" {
		return fmt.Errorf("%w: it is empty", ErrAlias)
	}
	if crypto.ValidNodeID(name) {
		return fmt.Errorf("%w: it has the form of a node ID", ErrAlias)
	}
	if _, err := crypto.ParsePublicKey(name); err == nil {
		return fmt.Errorf("%w: it is a public key", ErrAlias)
	}
	return nil
}

// SetAlias gives a peer a local name, by node ID, in place of the one that it had; an empty name removes it. The
// change is on disk when it returns. The peer need not be in the book. A peer with an alias is not evicted. After an
// error, ErrAlias, ErrAliasTaken or ErrWrite, nothing has changed.
func (b *Book) SetAlias(id, name string) error {
	_, err := b.Enter(Change{Alias: map[string]string{id: name}}, time.Now())
	return err
}

// enterAlias changes the alias of a peer in memory. b.mu is held.
func (b *Book) enterAlias(id, name string) {
	delete(b.owners, b.aliases[id])
	delete(b.aliases, id)
	if name != "" {
		b.aliases[id], b.owners[name] = name, id
	}
}

// Alias returns the alias of a peer, or "".
func (b *Book) Alias(id string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.aliases[id]
}

// AliasOwner returns the node ID of the peer with an alias, or "".
func (b *Book) AliasOwner(name string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.owners[name]
}
