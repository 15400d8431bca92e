// Package refpeer is a small peer that speaks version 1.0 of the wire protocol, written from docs/protocol.md only. It
// represents the deployed nodes: one goroutine and one mutex per connection, Borg's own SMSG code, gorilla/websocket,
// no announced features. With Options.Session it speaks session/1 too, in both roles, as a newer node would. It imports
// no package of this module but its own folder, so that a fault of the module cannot hide itself. Options make it break
// the protocol.
//
// The order of the files is the order of a connection: identity, envelope, handshake, offer, dial or listen, conn. A
// session adds session/ (keys and records), form (messages in records) and connsession.
package refpeer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/Snider/Borg/pkg/stmf"
)

// Public is an identity on the wire (section 1). Its fields have the order of the protocol.
type Public struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	PublicKey string    `json:"publicKey"`
	CreatedAt time.Time `json:"createdAt"`
	Role      string    `json:"role"`
}

// Identity is a Public with its private key. It is immutable, and safe for concurrent use.
type Identity struct {
	Public
	keys *stmf.KeyPair
}

// New returns an identity of role dual with new keys.
func New(name string) (*Identity, error) {
	keys, err := stmf.GenerateKeyPair()
	if err != nil {
		return nil, err
	}
	return fromKeys(name, keys), nil
}

// Load returns the identity of a private key of 32 raw bytes.
func Load(name string, privateKey []byte) (*Identity, error) {
	keys, err := stmf.LoadKeyPair(privateKey)
	if err != nil {
		return nil, err
	}
	return fromKeys(name, keys), nil
}

func fromKeys(name string, keys *stmf.KeyPair) *Identity {
	return &Identity{
		Public: Public{
			ID:        NodeID(keys.PublicKey()),
			Name:      name,
			PublicKey: keys.PublicKeyBase64(),
			CreatedAt: time.Now().UTC().Truncate(time.Second),
			Role:      "dual",
		},
		keys: keys,
	}
}

// NodeID returns the node ID of a public key: the first 16 bytes of its SHA-256 in lower-case hex.
func NodeID(publicKey []byte) string {
	sum := sha256.Sum256(publicKey)
	return hex.EncodeToString(sum[:16])
}

// SharedSecret returns the 32 bytes that this identity shares with the owner of a public key in base64.
func (i *Identity) SharedSecret(publicKey string) ([]byte, error) {
	theirs, err := stmf.LoadPublicKeyBase64(publicKey)
	if err != nil {
		return nil, err
	}
	ours, err := stmf.LoadPrivateKey(i.keys.PrivateKey())
	if err != nil {
		return nil, err
	}
	point, err := ours.ECDH(theirs)
	if err != nil {
		return nil, fmt.Errorf("key agreement: %w", err)
	}
	sum := sha256.Sum256(point)
	return sum[:], nil
}

// ChallengeResponse returns the HMAC-SHA256 of a challenge under a shared secret.
func ChallengeResponse(secret, challenge []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(challenge)
	return mac.Sum(nil)
}

// password returns the text whose SHA-256 is the SMSG key of two nodes (section 4).
func password(secret []byte) string { return base64.StdEncoding.EncodeToString(secret) }
