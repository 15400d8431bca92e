package session

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/Snider/go-p2p/crypto"
)

// Identity is the static key of this node. *crypto.NodeManager implements it.
type Identity interface {
	// PublicKey returns the node's public key.
	PublicKey() crypto.PublicKey
	// Exchange returns the X25519 result of the private key and peer. It refuses keys that are not canonical or of low
	// order with an error that wraps crypto.ErrPublicKey.
	Exchange(peer crypto.PublicKey) ([32]byte, error)
}

// PeerKeys are the session keys in a handshake message of the peer.
type PeerKeys struct {
	Key crypto.PublicKey // ephemeral
	KEM []byte           // in a handshake the encapsulation key, in an ack the ciphertext; empty if absent
}

const ikmKEMLen = 4*KeySize + mlkem.SharedKeySize

// newEphemeral makes an X25519 key pair from 32 bytes of random. ecdh.GenerateKey would ignore the reader.
func newEphemeral(random io.Reader) (*ecdh.PrivateKey, error) {
	var seed [KeySize]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	return ecdh.X25519().NewPrivateKey(seed[:])
}

func readerOr(random io.Reader) io.Reader {
	if random == nil {
		return rand.Reader
	}
	return random
}

// WithSecret returns own with the result of SharedSecret for peer, which the caller has computed for the challenge. It
// saves NewAnswer and Offer.Finish one of five X25519 operations.
func WithSecret(own Identity, peer crypto.PublicKey, secret crypto.SharedSecret) Identity {
	return &knownSecret{Identity: own, peer: peer, secret: &secret}
}

type knownSecret struct {
	Identity
	peer   crypto.PublicKey
	secret *crypto.SharedSecret // a pointer, so that printing a struct does not reveal it
}

// sharedSecret returns the SHA-256 of the X25519 result of both static keys.
func sharedSecret(own Identity, peer crypto.PublicKey) ([KeySize]byte, error) {
	if known, ok := own.(*knownSecret); ok && known.peer == peer {
		return *known.secret, nil
	}
	shared, err := own.Exchange(peer)
	if err != nil {
		return [KeySize]byte{}, err
	}
	defer clear(shared[:])
	return sha256.Sum256(shared[:]), nil
}

// material is the input key material of a session and its memory, which has room for the part of the KEM.
type material struct {
	ikm    []byte
	space  [ikmKEMLen]byte
	answer Answer // of a responder
}

// exchangeKeys returns the four X25519 parts of the input key material. The two calls of own.Exchange check both keys
// of the peer; SharedSecret has checked that of a known secret.
func exchangeKeys(side crypto.Side, ephemeral *ecdh.PrivateKey, own Identity, peer, theirs crypto.PublicKey) (
	*material, error,
) {
	for _, mine := range [...]crypto.PublicKey{own.PublicKey(), publicOf(ephemeral)} {
		if peer == mine || theirs == mine {
			return nil, ErrOwnKey
		}
	}
	var parts [4][KeySize]byte // in the order of protocol section 9
	defer clear(parts[:])
	forEphemeral, forStatic := &parts[1], &parts[2] // of this node's keys
	if side == crypto.Responder {
		forEphemeral, forStatic = forStatic, forEphemeral
	}
	var err error
	if *forStatic, err = own.Exchange(theirs); err != nil {
		return nil, keyError(err)
	}
	if parts[3], err = sharedSecret(own, peer); err != nil {
		return nil, keyError(err)
	}
	if err = exchange(&parts[0], ephemeral, theirs); err != nil {
		return nil, err
	}
	if err = exchange(forEphemeral, ephemeral, peer); err != nil {
		return nil, err
	}
	m := &material{}
	m.ikm = m.space[:0]
	for i := range parts {
		m.ikm = append(m.ikm, parts[i][:]...)
	}
	return m, nil
}

func publicOf(private *ecdh.PrivateKey) crypto.PublicKey {
	return crypto.PublicKey(private.PublicKey().Bytes())
}

// exchange stores the X25519 result of two keys in out. crypto/ecdh refuses a result of zeros.
func exchange(out *[KeySize]byte, private *ecdh.PrivateKey, peer crypto.PublicKey) error {
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return &refusal{kind: ErrKeys, reason: err.Error(), cause: crypto.ErrPublicKey}
	}
	shared, err := private.ECDH(public)
	if err != nil {
		return &refusal{kind: ErrKeys, reason: err.Error(), cause: crypto.ErrPublicKey}
	}
	copy(out[:], shared)
	clear(shared)
	return nil
}

// keyError makes an error for a key of the peer wrap ErrKeys. Other errors of an Identity are this node's.
func keyError(err error) error {
	if errors.Is(err, crypto.ErrPublicKey) {
		return &refusal{kind: ErrKeys, reason: err.Error(), cause: err}
	}
	return err
}
