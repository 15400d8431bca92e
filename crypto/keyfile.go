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

// Identity and private key are in one file, so that a crash never combines the key of one identity with the name of
// another. The file is written under a temporary name and then hard-linked to its final name. The link fails if the
// name exists: of several processes exactly one succeeds, and no file is ever overwritten.
const (
	keyFileName    = "identity.json" // in a data directory
	keyFileTemp    = ".tmp-"         // behind the name in temporary files, before random digits; a crash can leave one
	keyFileMaxSize = 16 << 10        // bytes; written files are below 2 KiB
)

// keyFile is the JSON content of the file: the public identity and the private key, 32 bytes in base64.
type keyFile struct {
	NodeIdentity
	PrivateKey []byte `json:"privateKey"`
}

// readKeyFile returns the identity in the file at path. The key is nil if the file does not exist. If it is shared, it
// may belong to root and be readable for a group of this process.
func readKeyFile(path string, shared bool) (NodeIdentity, *ecdh.PrivateKey, error) {
	data, err := readPrivate(path, shared)
	if errors.Is(err, fs.ErrNotExist) {
		return NodeIdentity{}, nil, nil
	}
	if err != nil {
		return NodeIdentity{}, nil, err
	}
	identity, private, err := parseKeyFile(data)
	if errors.Is(err, ErrName) { // earlier releases allowed control characters
		return NodeIdentity{}, nil, fmt.Errorf(
			"identity file %s: %w; correct the name there: id and keys do not depend on it", path, err)
	}
	if err != nil {
		return NodeIdentity{}, nil, fmt.Errorf(
			"identity file %s is damaged: %w; restore it from a backup, or move it away to let the node make a new identity",
			path, err)
	}
	return identity, private, nil
}

// readPrivate reads a file of at most keyFileMaxSize + 1 bytes. The file must be regular, belong to the user of this
// process and be inaccessible to other users; readKeyFile names the exceptions of a shared file.
func readPrivate(path string, shared bool) ([]byte, error) {
	f, err := datadir.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, identityFault(path, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat the identity file: %w", err)
	}
	if err := datadir.CheckPrivate(path, info, shared); err != nil {
		return nil, fmt.Errorf("identity file %s holds a private key, but %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, keyFileMaxSize+1))
	if err != nil {
		return nil, identityFault(path, err)
	}
	return data, nil
}

// identityFault returns the error for an identity file that cannot be read, with a remedy. It does not report damage.
func identityFault(path string, err error) error {
	remedy, known := datadir.Remedy(err)
	if !known || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("identity file: %w", err)
	}
	return fmt.Errorf("identity file %s cannot be read: %w: %s", path, err, remedy)
}

// parseKeyFile accepts a complete file whose id and public key match its private key.
func parseKeyFile(data []byte) (NodeIdentity, *ecdh.PrivateKey, error) {
	if len(data) > keyFileMaxSize {
		return NodeIdentity{}, nil, fmt.Errorf("it is larger than %d bytes", keyFileMaxSize)
	}
	var file keyFile
	if json.Unmarshal(data, &file) != nil { // the cause could contain the key
		return NodeIdentity{}, nil, errors.New("it is not the complete JSON of an identity")
	}
	private, err := ecdh.X25519().NewPrivateKey(file.PrivateKey)
	if err != nil {
		return NodeIdentity{}, nil, errors.New("its private key does not have 32 bytes")
	}
	want, err := newIdentity(private, file.Name, file.Role, file.CreatedAt)
	if err != nil {
		return NodeIdentity{}, nil, err
	}
	if want != file.NodeIdentity {
		return NodeIdentity{}, nil, errors.New("its id and public key do not match its private key")
	}
	return want, private, nil
}

// writeKeyFile creates the identity file. It returns ErrIdentityExists and changes nothing if the file exists.
func writeKeyFile(path string, identity NodeIdentity, private *ecdh.PrivateKey) error {
	data, err := json.MarshalIndent(keyFile{identity, private.Bytes()}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the identity: %w", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the data directory: %w", err)
	}
	temp, err := writeTemp(path, append(data, '\n'))
	if err != nil {
		return err
	}
	err = os.Link(temp, path)
	_ = os.Remove(temp) // after a failure, a later sweep removes it
	if err != nil {
		// The link also fails if another process created the identity file and its sweep removed temp.
		if _, statErr := os.Lstat(path); statErr != nil {
			return fmt.Errorf("link the identity file to its name: %w", err)
		}
		sweep(path)
		return fmt.Errorf("%w in %s", ErrIdentityExists, path)
	}
	sweep(path)
	return syncDir(dir)
}

// writeTemp writes data to a new file of mode 0600 beside path and syncs it to disk.
func writeTemp(path string, data []byte) (temp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+keyFileTemp+"*") // O_EXCL, 0600
	if err != nil {
		return "", fmt.Errorf("create the identity file: %w", err)
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

// sweep removes temporary files of path. Call it only after the identity file exists, or to delete the identity:
// earlier it could remove the file of a process that is about to link it.
func sweep(path string) {
	dir := filepath.Dir(path)
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+keyFileTemp) {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// removeKeyFile removes the identity file and temporary files that a crash has left.
func removeKeyFile(path string) error {
	sweep(path)
	err := os.Remove(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the identity file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
