package refpeer

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

const (
	version          = "1.0"
	handshakeTimeout = 10 * time.Second
	maxMessageSize   = 1 << 20
)

// ErrBadResponse means that the responder did not prove the possession of its private key.
var ErrBadResponse = errors.New("challenge response does not verify")

// RefusedError is the refusal of a responder ("accepted": false), with its reason.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

// StatusError is an answer other than 101 to the WebSocket upgrade.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP status %d instead of an upgrade", e.Code)
}

// helloPayload has the fields of a handshake that a receiver reads.
type helloPayload struct {
	Identity  Public   `json:"identity"`
	Challenge string   `json:"challenge"`
	Version   string   `json:"version"`
	Features  []string `json:"features"`

	Session json.RawMessage `json:"session"`
}

// ackPayload has the fields of a handshake_ack that a receiver reads.
type ackPayload struct {
	Identity          Public   `json:"identity"`
	ChallengeResponse string   `json:"challengeResponse"`
	Accepted          bool     `json:"accepted"`
	Reason            string   `json:"reason"`
	Features          []string `json:"features"`

	Session json.RawMessage `json:"session"`
}

// initiate runs the initiator's half of the handshake (section 3) on a new WebSocket.
func initiate(ws *websocket.Conn, o Options) (*Conn, error) {
	deadline := time.Now().Add(handshakeTimeout)
	challenge := make([]byte, 32)
	rand.Read(challenge)
	payload := map[string]any{
		"identity":  o.Identity.Public,
		"challenge": base64.StdEncoding.EncodeToString(challenge),
		"version":   version,
	}
	var secrets ephemeral
	var offered any
	if o.Session != nil {
		var offer map[string]any
		secrets, offer = o.Session.offer()
		payload["session"], offered = offer, offer["aeads"]
	}
	sent, err := o.sendPlain(ws, deadline, TypeHandshake, "", payload)
	if err != nil {
		return nil, err
	}
	var ack ackPayload
	answer, err := recvPlain(ws, deadline, TypeHandshakeAck, &ack)
	if err != nil {
		return nil, err
	}
	if !ack.Accepted {
		return nil, &RefusedError{Reason: ack.Reason}
	}
	secret, err := o.Identity.SharedSecret(ack.Identity.PublicKey)
	if err != nil {
		return nil, err
	}
	response, err := base64.StdEncoding.DecodeString(ack.ChallengeResponse)
	if err != nil || !hmac.Equal(response, ChallengeResponse(secret, challenge)) {
		return nil, ErrBadResponse
	}
	c := newConn(ws, o, ack.Identity, ack.Features, secret)
	c.mark(roleInitiator, sent, answer)
	has, err := negotiates(ack.Features, ack.Session)
	if err != nil && o.Session != nil {
		return nil, err
	}
	if has && o.Session != nil {
		aead, results, err := secrets.finish(o.Identity, ack.Identity, offered, ack.Session)
		if err != nil {
			return nil, err
		}
		schedule, err := session.Derive(aead, sent, answer, results)
		if err != nil {
			return nil, err
		}
		c.session = &duplex{AEAD: aead, KEM: results.KEM != nil, seal: schedule.I2R, open: schedule.R2I}
	}
	return c, c.start(deadline, o)
}

// respond runs the responder's half of the handshake. It sends a refusal and returns it as a *RefusedError.
func respond(ws *websocket.Conn, o Options) (*Conn, error) {
	deadline := time.Now().Add(handshakeTimeout)
	var hello helloPayload
	received, err := recvPlain(ws, deadline, TypeHandshake, &hello)
	if err != nil {
		return nil, err
	}
	refuse := func(reason string, cause error) (*Conn, error) {
		_, err := o.sendPlain(ws, deadline, TypeHandshakeAck, hello.Identity.ID, map[string]any{
			"identity": o.Identity.Public, "accepted": false, "reason": reason,
		})
		return nil, errors.Join(&RefusedError{Reason: reason}, cause, err)
	}
	if reason := o.refusal(hello); reason != "" {
		return refuse(reason, nil)
	}
	secret, err := o.Identity.SharedSecret(hello.Identity.PublicKey)
	if err != nil {
		return nil, err
	}
	challenge, err := base64.StdEncoding.DecodeString(hello.Challenge)
	if err != nil {
		return nil, err
	}
	payload := map[string]any{
		"identity":          o.Identity.Public,
		"challengeResponse": base64.StdEncoding.EncodeToString(ChallengeResponse(secret, challenge)),
		"accepted":          true,
	}
	has, err := negotiates(hello.Features, hello.Session)
	var aead string
	var results session.Results
	if o.Session != nil && err == nil && has {
		payload["session"], aead, results, err = o.Session.answer(o.Identity, hello.Identity, hello.Session)
	}
	if o.Session != nil && err != nil {
		return refuse("invalid handshake", err)
	}
	if o.SpoilAck != nil {
		o.Spoil = func(payload map[string]any) { o.SpoilAck(received, payload) }
	}
	sent, err := o.sendPlain(ws, deadline, TypeHandshakeAck, hello.Identity.ID, payload)
	if err != nil {
		return nil, err
	}
	c := newConn(ws, o, hello.Identity, hello.Features, secret)
	c.mark(roleResponder, received, sent)
	if aead != "" {
		schedule, err := session.Derive(aead, received, sent, results)
		if err != nil {
			return nil, err
		}
		c.session = &duplex{AEAD: aead, KEM: results.KEM != nil, seal: schedule.R2I, open: schedule.I2R}
	}
	return c, c.start(deadline, o)
}

// refusal returns the reason for which a responder refuses a handshake, empty if it accepts.
func (o Options) refusal(hello helloPayload) string {
	switch {
	case hello.Version != version:
		return fmt.Sprintf("incompatible protocol version %s, supported: [%s]", hello.Version, version)
	case o.RefuseNow != nil && o.RefuseNow():
		return "refused"
	case o.Allow != nil && !slices.Contains(o.Allow, hello.Identity.ID):
		return "peer not authorized"
	}
	return o.Refuse
}

// sendPlain sends a handshake message with the features of the options, modified by Spoil, and returns its bytes.
func (o Options) sendPlain(ws *websocket.Conn, deadline time.Time, typ, to string, payload map[string]any) ([]byte,
	error,
) {
	features := o.Features
	if payload["session"] != nil {
		features = append(slices.Clone(features), featureSession)
	}
	if len(features) > 0 {
		payload["features"] = features
	}
	if o.Spoil != nil {
		o.Spoil(payload)
	}
	e, err := NewEnvelope(typ, o.Identity.ID, to, payload)
	if err != nil {
		return nil, err
	}
	text, err := marshal(e)
	if err != nil {
		return nil, err
	}
	if err := ws.SetWriteDeadline(deadline); err != nil {
		return nil, err
	}
	return text, ws.WriteMessage(websocket.TextMessage, text)
}

// recvPlain reads one handshake message, requires the type typ, decodes its payload and returns its bytes.
func recvPlain(ws *websocket.Conn, deadline time.Time, typ string, payload any) ([]byte, error) {
	if err := ws.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	_, text, err := ws.ReadMessage()
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	var e Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if e.Type != typ {
		return nil, fmt.Errorf("handshake: got a message of type %q, want %q", e.Type, typ)
	}
	if err := json.Unmarshal(e.Payload, payload); err != nil {
		return nil, fmt.Errorf("handshake: payload: %w", err)
	}
	return text, ws.SetReadDeadline(time.Time{})
}
