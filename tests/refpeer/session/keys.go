package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cloudflare/circl/dh/x25519"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
)

// Sizes in bytes of the values in the handshake.
const (
	KeySize   = 32
	OfferSize = mlkem768.PublicKeySize  // ML-KEM-768 encapsulation key
	CodeSize  = mlkem768.CiphertextSize // ML-KEM-768 ciphertext
)

// ErrLowOrder means that an X25519 result is all zeroes.
var ErrLowOrder = errors.New("session: the X25519 result is zero")

// KeyPair is an X25519 key pair of raw bytes.
type KeyPair struct{ Private, Public []byte }

// NewKeyPair returns a random key pair.
func NewKeyPair() KeyPair {
	private := make([]byte, KeySize)
	rand.Read(private)
	return LoadKeyPair(private)
}

// LoadKeyPair returns the key pair of a private key of 32 bytes.
func LoadKeyPair(private []byte) KeyPair {
	var public, secret x25519.Key
	copy(secret[:], private)
	x25519.KeyGen(&public, &secret)
	return KeyPair{Private: slices.Clone(private), Public: public[:]}
}

// Exchange is X25519 with a public key of 32 bytes. It returns ErrLowOrder if the result is all zeroes.
func (k KeyPair) Exchange(public []byte) ([]byte, error) {
	if len(public) != KeySize {
		return nil, fmt.Errorf("session: a public key of %d bytes", len(public))
	}
	var shared, secret, theirs x25519.Key
	copy(secret[:], k.Private)
	copy(theirs[:], public)
	if !x25519.Shared(&shared, &secret, &theirs) {
		return nil, ErrLowOrder
	}
	return shared[:], nil
}

// KEM is an ML-KEM-768 key pair of the initiator.
type KEM struct {
	private *mlkem768.PrivateKey
	Offer   []byte // encapsulation key, OfferSize bytes
}

// NewKEM returns the key pair of a seed of 64 bytes (d || z of FIPS 203); nil: a random one.
func NewKEM(seed []byte) *KEM {
	if seed == nil {
		seed = make([]byte, mlkem768.KeySeedSize)
		rand.Read(seed)
	}
	public, private := mlkem768.NewKeyFromSeed(seed)
	offer := make([]byte, OfferSize)
	public.Pack(offer)
	clearVectors(offer)
	return &KEM{private: private, Offer: offer}
}

// Decapsulate returns the shared key of a ciphertext of CodeSize bytes.
func (k *KEM) Decapsulate(code []byte) ([]byte, error) {
	if len(code) != CodeSize {
		return nil, fmt.Errorf("session: a KEM ciphertext of %d bytes", len(code))
	}
	shared := make([]byte, mlkem768.SharedKeySize)
	k.private.DecapsulateTo(shared, code)
	clearVectors(code)
	return shared, nil
}

// Encapsulate returns a ciphertext for an encapsulation key and the shared key. seed has 32 bytes; nil: random.
func Encapsulate(offer, seed []byte) (code, shared []byte, err error) {
	if len(offer) != OfferSize {
		return nil, nil, fmt.Errorf("session: a KEM key of %d bytes", len(offer))
	}
	var public mlkem768.PublicKey
	if err := public.Unpack(offer); err != nil {
		return nil, nil, fmt.Errorf("session: KEM key: %w", err)
	}
	code, shared = make([]byte, CodeSize), make([]byte, mlkem768.SharedKeySize)
	public.EncapsulateTo(code, shared, seed)
	clearVectors(code)
	return code, shared, nil
}

// clearVectors clears the upper halves of the vector registers. The Keccak permutation of circl leaves them in use, and
// then SHA-256 by the SHA instructions takes 100 times as long on an Intel Xeon (Emerald Rapids), half of the processor
// time of a handshake. A search with AVX2, as in any slice of 32 bytes or more, ends with the instruction for it.
func clearVectors(long []byte) { bytes.IndexByte(long, 0) }

// Results are the four X25519 results and the KEM's shared key, if there is one.
type Results struct {
	EE, ES, SE, SS []byte // (i,r), (i,R), (I,r), (I,R)
	KEM            []byte
}

// Initiate computes the results of the initiator from its two key pairs and the responder's public keys.
func Initiate(static, ephemeral KeyPair, peerStatic, peerEphemeral []byte) (Results, error) {
	ee, err1 := ephemeral.Exchange(peerEphemeral)
	es, err2 := ephemeral.Exchange(peerStatic)
	se, err3 := static.Exchange(peerEphemeral)
	ss, err4 := static.Exchange(peerStatic)
	return Results{EE: ee, ES: es, SE: se, SS: ss}, errors.Join(err1, err2, err3, err4)
}

// Respond computes the results of the responder from its two key pairs and the initiator's public keys.
func Respond(static, ephemeral KeyPair, peerStatic, peerEphemeral []byte) (Results, error) {
	ee, err1 := ephemeral.Exchange(peerEphemeral)
	es, err2 := static.Exchange(peerEphemeral)
	se, err3 := ephemeral.Exchange(peerStatic)
	ss, err4 := static.Exchange(peerStatic)
	return Results{EE: ee, ES: es, SE: se, SS: ss}, errors.Join(err1, err2, err3, err4)
}

// Schedule holds all values of the key schedule, for comparison with vectors.
type Schedule struct {
	Transcript, IKM, PRK []byte
	I2R, R2I             *Direction
}

// Derive computes the key schedule from the two handshake messages exactly as sent.
func Derive(aead string, handshake, ack []byte, r Results) (*Schedule, error) {
	if err := checkAEAD(aead); err != nil {
		return nil, err
	}
	th := sha256.New()
	th.Write([]byte("go-p2p session/1"))
	for _, message := range [][]byte{handshake, ack} {
		th.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
		th.Write(message)
	}
	ss := sha256.Sum256(r.SS)
	s := &Schedule{Transcript: th.Sum(nil), IKM: slices.Concat(r.EE, r.ES, r.SE, ss[:], r.KEM)}
	s.PRK = extract(s.Transcript, s.IKM)
	s.I2R = newDirection(aead, expand(s.PRK, "go-p2p session/1 i2r", KeySize))
	s.R2I = newDirection(aead, expand(s.PRK, "go-p2p session/1 r2i", KeySize))
	return s, nil
}

// extract is HKDF-Extract with SHA-256 (RFC 5869).
func extract(salt, ikm []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(ikm)
	return mac.Sum(nil)
}

// expand is HKDF-Expand with SHA-256.
func expand(prk []byte, info string, size int) []byte {
	var out, block []byte
	for n := byte(1); len(out) < size; n++ {
		mac := hmac.New(sha256.New, prk)
		mac.Write(block)
		mac.Write([]byte(info))
		mac.Write([]byte{n})
		block = mac.Sum(nil)
		out = append(out, block...)
	}
	return out[:size]
}
