package crypto

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// clusterLabel separates the keys of a cluster from other keys derived from the private key.
const clusterLabel = "go-p2p cluster "

// ClusterKey derives a key that all processes with this private key have, and no other process: HKDF-SHA256 of the
// private key, with secret as salt and "go-p2p cluster " and label as info. A nil secret stands for none. The only
// error is ErrNoIdentity. Safe for concurrent use.
func (m *NodeManager) ClusterKey(label string, secret []byte) (key [32]byte, err error) {
	m.mu.RLock()
	private := m.private
	m.mu.RUnlock()
	if private == nil {
		return key, ErrNoIdentity
	}
	derived, err := hkdf.Key(sha256.New, private.Bytes(), secret, clusterLabel+label, len(key))
	if err != nil {
		return key, fmt.Errorf("derive the key %q of a cluster: %w", label, err) // only in FIPS mode
	}
	return [32]byte(derived), nil
}
