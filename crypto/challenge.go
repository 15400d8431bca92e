package crypto

import (
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
