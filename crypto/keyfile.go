package crypto

import (
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/Snider/go-p2p/crypto/datadir"
)

// Identity and private key stand in one file, so that a crash can never leave
// the key of one identity beside the name of another. The file is complete
// before it gets its name, and that name is given by a hard link, which fails
// when it is taken: of several processes exactly one wins, and nothing is ever
// overwritten.
const (
	keyFileName    = "identity.json"
	keyFileTemp    = keyFileName + ".tmp-" // and random digits; left by a crash; swept when an identity is there to stay
	keyFileMaxSize = 16 << 10              // bytes; an honest one has less than 2 KiB
)

// keyFile is the content of the file: the public identity and the private key, 32 bytes in base64.
type keyFile struct {
	NodeIdentity
	PrivateKey []byte `json:"privateKey"`
}

// readKeyFile returns the identity in dir, and a nil key when there is none.
func readKeyFile(dir string) (NodeIdentity, *ecdh.PrivateKey, error) {
	path := filepath.Join(dir, keyFileName)
	data, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return NodeIdentity{}, nil, nil
	}
	if err != nil {
		return NodeIdentity{}, nil, err
	}
	identity, private, err := parseKeyFile(data)
	if errors.Is(err, ErrName) { // earlier releases allowed control characters
		return NodeIdentity{}, nil, fmt.Errorf("identity file %s: %w; correct the name there: id and keys do not depend on it", path, err)
	}
	if err != nil {
		return NodeIdentity{}, nil, fmt.Errorf(
			"identity file %s is damaged: %w; restore it from a backup, or move it away to let the node make a new identity",
			path, err)
	}
	return identity, private, nil
}

// readPrivate reads a file that must be regular, small, and closed to everybody but its owner, who is us.
func readPrivate(path string) ([]byte, error) {
	f, err := datadir.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, identityFault(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the identity file: %w", err)
	}
	if err := checkAccess(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, keyFileMaxSize+1))
	if err != nil {
		return nil, identityFault(path, err)
	}
	return data, nil
}

// identityFault names what keeps the identity file from being read. Its content is not to blame.
func identityFault(path string, err error) error {
	remedy, known := datadir.Remedy(err)
	if !known || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("identity file: %w", err)
	}
	return fmt.Errorf("identity file %s cannot be read: %w: %s", path, err, remedy)
}

// parseKeyFile accepts only a file that is whole and whose parts belong together.
func parseKeyFile(data []byte) (NodeIdentity, *ecdh.PrivateKey, error) {
	if len(data) > keyFileMaxSize {
		return NodeIdentity{}, nil, fmt.Errorf("it has more than %d bytes", keyFileMaxSize)
	}
	var file keyFile
	if json.Unmarshal(data, &file) != nil { // the cause could quote the key
		return NodeIdentity{}, nil, errors.New("it is not whole JSON of an identity")
	}
	private, err := ecdh.X25519().NewPrivateKey(file.PrivateKey)
	if err != nil {
		return NodeIdentity{}, nil, errors.New("its private key has not 32 bytes")
	}
	want, err := newIdentity(private, file.Name, file.Role, file.CreatedAt)
	if err != nil {
		return NodeIdentity{}, nil, err
	}
	if want != file.NodeIdentity {
		return NodeIdentity{}, nil, errors.New("its id and public key do not belong to its private key")
	}
	return want, private, nil
}

// writeKeyFile makes the identity file, or returns ErrIdentityExists and changes nothing.
func writeKeyFile(dir string, identity NodeIdentity, private *ecdh.PrivateKey) error {
	data, err := json.MarshalIndent(keyFile{identity, private.Bytes()}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the identity: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	temp, err := writeTemp(dir, append(data, '\n'))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, keyFileName)
	err = os.Link(temp, path)
	_ = os.Remove(temp) // what remains after a failure is swept later
	if err != nil {
		// A winner may have swept our file away before we could link it.
		if _, statErr := os.Lstat(path); statErr != nil {
			return fmt.Errorf("give the identity file its name: %w", err)
		}
		sweep(dir)
		return fmt.Errorf("%w in %s", ErrIdentityExists, path)
	}
	sweep(dir)
	return syncDir(dir)
}

// writeTemp writes data, safely on disk, to a new file that only we can read.
func writeTemp(dir string, data []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, keyFileTemp+"*") // O_EXCL, 0600
	if err != nil {
		return "", fmt.Errorf("make the identity file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("write the identity file: %w", err)
	}
	return f.Name(), nil
}

// sweep removes unfinished files. Only once the identity file is there, or to be
// removed, can it not take a file from a process that is still going to win.
func sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), keyFileTemp) {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// removeKeyFile removes the identity file and all that a crash may have left of it.
func removeKeyFile(dir string) error {
	sweep(dir)
	err := os.Remove(filepath.Join(dir, keyFileName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the identity file: %w", err)
	}
	return syncDir(dir)
}
