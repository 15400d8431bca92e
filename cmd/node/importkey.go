package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/datadir"
)

// importIdentity creates the identity of --identity or of the data directory from the private key of a deployed node, a
// file of 32 raw bytes. An existing identity is an error.
func importIdentity(s *settings.Settings, path string) (*crypto.NodeManager, error) {
	key, err := readKey(path)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	manager, err := identityManager(s)
	if err == nil {
		err = manager.Import(key, s.Name, s.Role, time.Now().UTC().Truncate(time.Second))
	}
	where := identityPlace(s)
	if errors.Is(err, crypto.ErrIdentityExists) {
		return nil, fmt.Errorf("import the identity: %s has an identity already: give another --data-dir or --identity",
			where)
	}
	if err != nil {
		return nil, accessible(fmt.Errorf("import the identity to %s: %w", where, err))
	}
	return manager, nil
}

// readKey reads a file of exactly crypto.KeySize bytes.
func readKey(path string) ([]byte, error) {
	file, err := datadir.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w: name the file private.key of the deployed node", err)
	}
	defer file.Close()
	key := make([]byte, crypto.KeySize+1)
	n, err := io.ReadFull(file, key)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	if n != crypto.KeySize {
		clear(key)
		return nil, fmt.Errorf("the private key in %s does not have %d bytes: name the file private.key of the deployed "+
			"node", printable.Word(path), crypto.KeySize)
	}
	return key[:n], nil
}
