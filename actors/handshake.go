package actors

import (
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Why a handshake fails, as errors.Is sees it.
var (
	// ErrRefused means that the peer said no; the error quotes its reason.
	ErrRefused = errors.New("the peer refused the connection")
	// ErrHandshake means that the other side did not speak the protocol, or could not prove who it is.
	ErrHandshake = errors.New("the handshake failed")
	// ErrWrongIdentity means that another node answered than the one that was expected.
	ErrWrongIdentity = errors.New("another node answered")
	// ErrLaterDialect means that the peer speaks the later, incompatible dialect that calls itself version 1.0 too. It
	// comes with ErrHandshake. The peer has proved nothing when it is returned.
	ErrLaterDialect = errors.New("the peer speaks a later dialect of protocol 1.0 that this version does not support")
	// ErrHandshakeTimeout means that the handshake was not done within its time.
	ErrHandshakeTimeout = errors.New("the handshake timed out")
)

// errOwnKey means that the peer claims this node's own identity.
var errOwnKey = errors.New("the peer shows this node's own key")

// rejection is a responder's no: what the peer is told and what the log says.
type rejection struct {
	reason string
	detail error
}

// reasonBadIdentity is what a peer is told whose handshake cannot be believed. The log has the details.
const reasonBadIdentity = "invalid handshake"

// claim is what a peer says of itself, checked for form: the ID is the key's, the key is a good one.
type claim struct {
	identity crypto.NodeIdentity
	key      crypto.PublicKey
	features []string
}

// checkIdentity turns a peer's identity into a claim (protocol sections 1 and 7). Name and role have the limits of our
// own configuration. Features beyond the limits of wire.ReceivedFeatures are ignored.
func checkIdentity(id wire.Identity, features []string, self crypto.PublicKey) (claim, error) {
	key, err := crypto.ParsePublicKey(id.PublicKey)
	if err != nil {
		return claim{}, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	if id.ID != key.NodeID() {
		return claim{}, fmt.Errorf("%w: the id %s is not the node ID of its public key", ErrHandshake, Quote(id.ID))
	}
	if key == self {
		return claim{}, fmt.Errorf("%w: %w", ErrHandshake, errOwnKey)
	}
	if err := crypto.CheckName(id.Name); err != nil {
		return claim{}, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	role, err := crypto.ParseRole(id.Role)
	if err != nil {
		return claim{}, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	if !wire.Writable(id.CreatedAt) {
		return claim{}, fmt.Errorf("%w: createdAt cannot be written as RFC 3339", ErrHandshake)
	}
	return claim{
		identity: crypto.NodeIdentity{
			ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt, Role: role,
		},
		key:      key,
		features: wire.ReceivedFeatures(features),
	}, nil
}

// readHandshake is a responder's whole judgement of the first message, as far as it can be made without knowing
// other connections (protocol section 3).
// It returns the challenge also with a rejection, if it could be read.
func readHandshake(data []byte, self crypto.PublicKey) (claim, [crypto.ChallengeSize]byte, *rejection) {
	var challenge [crypto.ChallengeSize]byte
	no := func(err error) (claim, [crypto.ChallengeSize]byte, *rejection) {
		return claim{}, challenge, &rejection{reason: reasonBadIdentity, detail: err}
	}
	msg, err := decodeFirst(data)
	if err != nil {
		return no(err)
	}
	if msg.Type != wire.MsgHandshake {
		return no(fmt.Errorf("%w: the first message is %s, not a handshake", ErrHandshake, Quote(string(msg.Type))))
	}
	payload, err := wire.DecodeHandshake(msg)
	if err != nil {
		return no(fmt.Errorf("%w: %w", ErrHandshake, err))
	}
	if !wire.VersionSupported(payload.Version) {
		reason := wire.IncompatibleVersionReason(payload.Version)
		return claim{}, challenge, &rejection{reason: reason, detail: fmt.Errorf("%w: version %s", ErrHandshake, Quote(payload.Version))}
	}
	copy(challenge[:], payload.Challenge)
	peer, err := checkIdentity(payload.Identity, payload.Features, self)
	if err != nil {
		return no(err)
	}
	if len(payload.Challenge) != crypto.ChallengeSize {
		return no(fmt.Errorf("%w: the challenge has %d bytes, not %d", ErrHandshake, len(payload.Challenge), crypto.ChallengeSize))
	}
	return peer, challenge, nil
}

// readAck is an initiator's whole judgement of the answer. secretOf derives the shared secret of a checked key.
func readAck(data []byte, self crypto.PublicKey, opening Opening, secretOf func(crypto.PublicKey) (crypto.SharedSecret, error)) (claim, crypto.SharedSecret, error) {
	var none crypto.SharedSecret
	msg, err := decodeFirst(data)
	if err != nil {
		return claim{}, none, err
	}
	if msg.Type != wire.MsgHandshakeAck {
		return claim{}, none, fmt.Errorf("%w: the answer is %s, not a handshake_ack", ErrHandshake, Quote(string(msg.Type)))
	}
	ack, err := wire.DecodeHandshakeAck(msg)
	if err != nil {
		return claim{}, none, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	if !ack.Accepted {
		return claim{}, none, fmt.Errorf("%w: %s", ErrRefused, Quote(ack.Reason))
	}
	peer, err := checkIdentity(ack.Identity, ack.Features, self)
	if err != nil {
		return claim{}, none, err
	}
	if opening.ExpectID != "" && peer.identity.ID != opening.ExpectID {
		return claim{}, none, fmt.Errorf("%w: expected %s, got %s", ErrWrongIdentity, opening.ExpectID, peer.identity.ID)
	}
	secret, err := secretOf(peer.key)
	if err != nil {
		return claim{}, none, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	if !crypto.VerifyChallenge(opening.Challenge[:], ack.ChallengeResponse, secret) {
		return claim{}, none, fmt.Errorf("%w: the peer does not hold the key that it shows", ErrHandshake)
	}
	return peer, secret, nil
}

// decodeFirst decodes the peer's first message. The error is an ErrHandshake, and an ErrLaterDialect if the message is
// in that dialect.
func decodeFirst(data []byte) (*wire.Message, error) {
	msg, err := wire.Decode(data)
	switch {
	case err == nil:
		return msg, nil
	case wire.LaterDialect(data):
		return nil, fmt.Errorf("%w: %w", ErrHandshake, ErrLaterDialect)
	default:
		return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
}

// identityOnWire is our identity as a handshake carries it.
func identityOnWire(id crypto.NodeIdentity) wire.Identity {
	return wire.Identity{ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt, Role: string(id.Role)}
}

// features are what this node announces (protocol section 7).
func (l *Limits) features() []string {
	return []string{wire.FeatureSingleConnection, wire.RateFeature(l.RateBurst, l.RateRefill)}
}
