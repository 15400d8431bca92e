package crypto

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/Snider/go-p2p/crypto/internal/mac"
)

// ChallengeSize is the length of a challenge and of its response, in bytes.
const ChallengeSize = 32

// GenerateChallenge returns 32 random bytes for a handshake (protocol section 3), read from random, or from
// crypto/rand if random is nil. The only errors are those of the reader.
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

// randomPart is the number of random bytes in a challenge of NewChallenge.
const randomPart = 16

// challengeLabel separates the key of recognisable challenges from other keys derived from the private key.
const challengeLabel = "go-p2p challenge"

// NewChallenge returns a handshake challenge that all holders of this private key recognise, in any process: 16 bytes
// from random, then the first 16 bytes of their HMAC-SHA256 under a key derived from the private key (protocol
// section 7). Without the key it is indistinguishable from 32 random bytes. If random is nil, NewChallenge reads
// crypto/rand. Errors are those of the reader and ErrNoIdentity. Safe for concurrent use if random is.
func (m *NodeManager) NewChallenge(random io.Reader) ([ChallengeSize]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	var c [ChallengeSize]byte
	if _, err := io.ReadFull(random, c[:randomPart]); err != nil {
		return c, fmt.Errorf("read random bytes for a challenge: %w", err)
	}
	tag, err := m.challengeMAC(c[:randomPart])
	copy(c[randomPart:], tag[:])
	return c, err
}

// IsOwnChallenge reports whether NewChallenge made c under this private key; a peer that presents c then reflects it.
// It returns false without an identity. Safe for concurrent use.
func (m *NodeManager) IsOwnChallenge(c [ChallengeSize]byte) bool {
	tag, err := m.challengeMAC(c[:randomPart])
	return err == nil && hmac.Equal(tag[:ChallengeSize-randomPart], c[randomPart:])
}

func (m *NodeManager) challengeMAC(random []byte) (tag [mac.Size]byte, err error) {
	m.mu.RLock()
	key := m.challengeKey
	m.mu.RUnlock()
	if key == nil {
		return tag, ErrNoIdentity
	}
	return mac.Sum(key[:], random), nil
}

// challengeKeyOf derives the key of recognisable challenges.
func challengeKeyOf(private *ecdh.PrivateKey) *[32]byte {
	key, err := hkdf.Key(sha256.New, private.Bytes(), nil, challengeLabel, 32)
	if err != nil {
		return nil // unreachable: SHA-256 supports a key of 32 bytes
	}
	return (*[32]byte)(key)
}

// SignChallenge returns the response to a challenge (protocol section 1): HMAC-SHA256 of its raw bytes under the
// shared secret, 32 bytes. It accepts any length; the caller must check that a received challenge has ChallengeSize
// bytes. Safe for concurrent use.
func SignChallenge(challenge []byte, secret SharedSecret) []byte {
	response := mac.Sum(secret[:], challenge)
	return response[:]
}

// VerifyChallenge reports whether response is the response to challenge under the shared secret (protocol section 1).
// It compares in constant time. Safe for concurrent use.
func VerifyChallenge(challenge, response []byte, secret SharedSecret) bool {
	return hmac.Equal(SignChallenge(challenge, secret), response)
}
