package crypto

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
)

// ChallengeSize is the length of a challenge and of its response, in bytes.
const ChallengeSize = 32

// GenerateChallenge returns 32 fresh random bytes for a handshake (protocol
// section 3), read from random, or from crypto/rand when that is nil. The only
// error is one of the reader.
func GenerateChallenge(random io.Reader) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	challenge := make([]byte, ChallengeSize)
	if _, err := io.ReadFull(random, challenge); err != nil {
		return nil, fmt.Errorf("read random bytes for a challenge: %w", err)
	}
	return challenge, nil
}

// randomPart is how many bytes of a challenge that NewChallenge makes are random.
const randomPart = 16

// challengeLabel separates the key of recognisable challenges from every other
// key derived from the private key.
const challengeLabel = "go-p2p challenge"

// NewChallenge returns a challenge for a handshake that every holder of this
// private key recognises, in this process or another: 16 bytes from random, then
// the first 16 bytes of their HMAC-SHA256 under a key derived from the private
// key (protocol section 7). To everyone else it is 32 random bytes. random nil
// means crypto/rand. The errors are those of the reader and ErrNoIdentity.
func (m *NodeManager) NewChallenge(random io.Reader) ([ChallengeSize]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	var c [ChallengeSize]byte
	if _, err := io.ReadFull(random, c[:randomPart]); err != nil {
		return c, fmt.Errorf("read random bytes for a challenge: %w", err)
	}
	mac, err := m.challengeMAC(c[:randomPart])
	copy(c[randomPart:], mac)
	return c, err
}

// IsOwnChallenge reports whether NewChallenge made c under this private key: a
// peer that presents it has it from us. False without an identity. Safe for
// concurrent use.
func (m *NodeManager) IsOwnChallenge(c [ChallengeSize]byte) bool {
	mac, err := m.challengeMAC(c[:randomPart])
	return err == nil && hmac.Equal(mac[:ChallengeSize-randomPart], c[randomPart:])
}

func (m *NodeManager) challengeMAC(random []byte) ([]byte, error) {
	m.mu.RLock()
	key := m.challengeKey
	m.mu.RUnlock()
	if key == nil {
		return nil, ErrNoIdentity
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write(random)
	return mac.Sum(nil), nil
}

// challengeKeyOf derives the key of recognisable challenges.
func challengeKeyOf(private *ecdh.PrivateKey) *[32]byte {
	key, err := hkdf.Key(sha256.New, private.Bytes(), nil, challengeLabel, 32)
	if err != nil {
		return nil // only for a length that SHA-256 cannot give
	}
	return (*[32]byte)(key)
}

// SignChallenge returns the answer to a challenge (protocol section 1):
// HMAC-SHA256 of its raw bytes under the shared secret, 32 bytes. It takes
// challenges of any length; that a handshake's challenge has ChallengeSize
// bytes is for the caller to check. Safe for concurrent use.
func SignChallenge(challenge []byte, secret SharedSecret) []byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(challenge)
	return mac.Sum(nil)
}

// VerifyChallenge tells whether response answers challenge under the shared
// secret. The time it takes does not depend on where they differ. Safe for
// concurrent use.
func VerifyChallenge(challenge, response []byte, secret SharedSecret) bool {
	return hmac.Equal(SignChallenge(challenge, secret), response)
}
