package actors

import (
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Errors of a handshake, for errors.Is.
var (
	// ErrRefused means that the peer refused the connection. The error quotes its reason.
	ErrRefused = errors.New("the peer refused the connection")
	// ErrHandshake means that the peer violated the handshake, or did not prove its identity.
	ErrHandshake = errors.New("the handshake failed")
	// ErrWrongIdentity means that another node than the expected one answered.
	ErrWrongIdentity = errors.New("another node answered")
	// ErrLaterDialect means that the peer speaks the later, incompatible dialect that also calls itself version 1.0. It
	// accompanies ErrHandshake. The peer's identity is not proven.
	ErrLaterDialect = errors.New("the peer speaks a later dialect of protocol 1.0 that this version does not support")
	// ErrHandshakeTimeout means that the handshake did not finish within its timeout.
	ErrHandshakeTimeout = errors.New("the handshake timed out")
)

// errOwnKey means that the peer claims this node's own identity.
var errOwnKey = errors.New("the peer shows this node's own key")

// rejection is a responder's refusal: reason is sent to the peer, detail is logged.
type rejection struct {
	reason string
	detail error
}

// claim is the identity that a peer claims, with a valid key that matches the ID.
type claim struct {
	identity crypto.NodeIdentity
	key      crypto.PublicKey
	features []string
	terms    *sessionTerms // nil: no session
}

// checkIdentity validates a peer's identity (protocol sections 1 and 7). Name and role have the limits of our own
// configuration. Features beyond the limits of wire.ReceivedFeatures are ignored.
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

// readHandshake validates the first message for a responder, without knowledge of other connections (protocol section
// 3). It returns the challenge also with a rejection, if it could be read.
// It chooses the terms of the session that the peer offers, if sessions is set.
func readHandshake(data []byte, self crypto.PublicKey, sessions bool) (claim, [crypto.ChallengeSize]byte, *rejection) {
	var challenge [crypto.ChallengeSize]byte
	no := func(err error) (claim, [crypto.ChallengeSize]byte, *rejection) {
		return claim{}, challenge, &rejection{reason: wire.ReasonInvalidHandshake, detail: err}
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
		detail := fmt.Errorf("%w: version %s", ErrHandshake, Quote(payload.Version))
		return claim{}, challenge, &rejection{reason: reason, detail: detail}
	}
	copy(challenge[:], payload.Challenge)
	peer, err := checkIdentity(payload.Identity, payload.Features, self)
	if err != nil {
		return no(err)
	}
	if len(payload.Challenge) != crypto.ChallengeSize {
		return no(fmt.Errorf("%w: the challenge has %d bytes, not %d",
			ErrHandshake, len(payload.Challenge), crypto.ChallengeSize))
	}
	if sessions {
		if peer.terms, err = offerTerms(payload.Session); err != nil {
			return no(err)
		}
	}
	return peer, challenge, nil
}

// refusalError returns the error of a refusing ack. Its identity is not proven: it only tells the operator which node
// answers at the address, if that is not the expected one.
func refusalError(ack wire.HandshakeAckPayload, expected string) error {
	err := fmt.Errorf("%w: %s", ErrRefused, Quote(ack.Reason))
	key, fault := crypto.ParsePublicKey(ack.Identity.PublicKey)
	if expected == "" || fault != nil || key.NodeID() == expected {
		return err
	}
	return fmt.Errorf("%w: %w: expected %s, got %s", err, ErrWrongIdentity, expected, key.NodeID())
}

// readAck validates the answer for an initiator. offered is the offer of a session in the handshake, nil if there was
// none. secretOf derives the shared secret from a validated key.
func readAck(
	data []byte, self crypto.PublicKey, opening Opening, offered *wire.SessionOffer,
	secretOf func(crypto.PublicKey) (crypto.SharedSecret, error),
) (claim, crypto.SharedSecret, error) {
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
		return claim{}, none, refusalError(ack, opening.ExpectID)
	}
	peer, err := checkIdentity(ack.Identity, ack.Features, self)
	if err != nil {
		return claim{}, none, err
	}
	if opening.ExpectID != "" && peer.identity.ID != opening.ExpectID {
		return claim{}, none, fmt.Errorf("%w: expected %s, got %s", ErrWrongIdentity, opening.ExpectID, peer.identity.ID)
	}
	if peer.terms, err = answerTerms(ack.Session, offered); err != nil {
		return claim{}, none, err
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

// identityOnWire returns our identity in the form of a handshake.
func identityOnWire(id crypto.NodeIdentity) wire.Identity {
	return wire.Identity{ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt, Role: string(id.Role)}
}

// features returns the announced features (protocol section 7). inSession announces the session that the same message
// offers or accepts.
func (l *Limits) features(inSession bool) []string {
	const most = 5
	features := append(make([]string, 0, most),
		wire.FeatureSingleConnection, wire.RateFeature(l.RateBurst, l.RateRefill), wire.FeatureConfirm)
	if inSession {
		features = append(features, wire.FeatureSession)
	}
	if l.Agent != "" {
		features = append(features, wire.FeatureAgentPrefix+l.Agent)
	}
	return features
}
