// Package session derives the keys of session/1 and seals and opens its records (protocol section 9). It handles bytes:
// the caller negotiates, encodes the handshake messages and the messages inside a record, and closes the connection on
// an error.
//
//	initiator: NewOffer, then Offer.Finish with the keys in the ack
//	responder: NewAnswer with the keys in the handshake, then Answer.Finish
//
// Both yield a Sealer and an Opener.
//
//	offset  size  content
//	0       1     type: 1 messages, 2 rekey; additional data of the AEAD
//	1       n     ciphertext
//	1+n     16    tag
//
// Go cannot guarantee that a key is erased. The package clears every buffer that it owns and drops every object that
// holds a key as soon as the protocol permits. Memory of crypto/ecdh, crypto/mlkem, crypto/sha256 and the ciphers, and
// copies on stacks and in registers, remain until the runtime reuses them.
package session

import "errors"

const (
	// KeySize is the length of ephemeral public keys, in bytes.
	KeySize = 32
	// KEMOfferSize is the length of an ML-KEM-768 encapsulation key, in bytes.
	KEMOfferSize = 1184
	// KEMAnswerSize is the length of an ML-KEM-768 ciphertext, in bytes.
	KEMAnswerSize = 1088
	// Overhead is the size of a record minus that of its messages, in bytes.
	Overhead = typeLen + tagLen
	// MaxRecord is the maximum size of several messages in one record, in bytes. One message alone may be longer.
	MaxRecord = 64 << 10
)

const (
	typeLen   = 1
	tagLen    = 16
	nonceLen  = 12
	secretLen = 32
)

// RecordType is the first byte of a record.
type RecordType byte

// Types of records. All others are refused.
const (
	Messages RecordType = 1 // one or more messages
	Rekey    RecordType = 2 // empty; the next record of this direction is under the next key
)

// Errors of NewAnswer and Offer.Finish for keys of the peer. Each wraps ErrKeys. The error for an X25519 key of low
// order or not in canonical form also wraps crypto.ErrPublicKey.
var (
	ErrKeys              = errors.New("session keys refused")
	ErrOwnKey      error = &refusal{kind: ErrKeys, reason: "the peer presents a key of this node"}
	ErrKEMSize     error = &refusal{kind: ErrKeys, reason: "ML-KEM key or ciphertext of the wrong length"}
	ErrKEMKey      error = &refusal{kind: ErrKeys, reason: "ML-KEM key is not canonical"}
	ErrKEMNotAsked error = &refusal{kind: ErrKeys, reason: "ML-KEM ciphertext without an offer"}
)

// ErrUsed means that an Offer has been finished before.
var ErrUsed = errors.New("session offer already used")

// Errors of Opener.Open. Each wraps ErrRecord. They are fixed values, so that refused records allocate nothing.
var (
	ErrRecord               = errors.New("session record refused")
	ErrTruncated      error = &refusal{kind: ErrRecord, reason: "shorter than type and tag"}
	ErrType           error = &refusal{kind: ErrRecord, reason: "unknown type"}
	ErrEmpty          error = &refusal{kind: ErrRecord, reason: "no messages"}
	ErrRekeyLength    error = &refusal{kind: ErrRecord, reason: "rekey record is not empty"}
	ErrAuthentication error = &refusal{kind: ErrRecord, reason: "authentication failed"}
	ErrKeyLimit       error = &refusal{kind: ErrRecord, reason: "too many records or bytes under one key"}
	ErrRekeyRate      error = &refusal{kind: ErrRecord, reason: "more than four needless rekeys in a minute"}
)

// refusal is an error with a fixed kind and reason, and possibly a cause.
type refusal struct {
	kind   error
	reason string
	cause  error // nil for the fixed values
}

// Error returns kind and reason.
func (r *refusal) Error() string { return r.kind.Error() + ": " + r.reason }

// Unwrap returns the kind and the cause, if any.
func (r *refusal) Unwrap() []error {
	if r.cause == nil {
		return []error{r.kind}
	}
	return []error{r.kind, r.cause}
}
