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
}

// ackPayload has the fields of a handshake_ack that a receiver reads.
type ackPayload struct {
	Identity          Public   `json:"identity"`
	ChallengeResponse string   `json:"challengeResponse"`
	Accepted          bool     `json:"accepted"`
	Reason            string   `json:"reason"`
	Features          []string `json:"features"`
}

// initiate runs the initiator's half of the handshake (section 3) on a new WebSocket.
func initiate(ws *websocket.Conn, o Options) (*Conn, error) {
	deadline := time.Now().Add(handshakeTimeout)
	challenge := make([]byte, 32)
	rand.Read(challenge)
	err := o.sendPlain(ws, deadline, TypeHandshake, "", map[string]any{
		"identity":  o.Identity.Public,
		"challenge": base64.StdEncoding.EncodeToString(challenge),
		"version":   version,
	})
	if err != nil {
		return nil, err
	}
	var ack ackPayload
	if err := recvPlain(ws, deadline, TypeHandshakeAck, &ack); err != nil {
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
	return newConn(ws, o, ack.Identity, ack.Features, secret), nil
}

// respond runs the responder's half of the handshake. It sends a refusal and returns it as a *RefusedError.
func respond(ws *websocket.Conn, o Options) (*Conn, error) {
	deadline := time.Now().Add(handshakeTimeout)
	var hello helloPayload
	if err := recvPlain(ws, deadline, TypeHandshake, &hello); err != nil {
		return nil, err
	}
	reason := o.Refuse
	if o.Allow != nil && !slices.Contains(o.Allow, hello.Identity.ID) {
		reason = "peer not authorized"
	}
	if o.RefuseNow != nil && o.RefuseNow() {
		reason = "refused"
	}
	if hello.Version != version {
		reason = fmt.Sprintf("incompatible protocol version %s, supported: [%s]", hello.Version, version)
	}
	if reason != "" {
		err := o.sendPlain(ws, deadline, TypeHandshakeAck, hello.Identity.ID, map[string]any{
			"identity": o.Identity.Public, "accepted": false, "reason": reason,
		})
		return nil, errors.Join(&RefusedError{Reason: reason}, err)
	}
	secret, err := o.Identity.SharedSecret(hello.Identity.PublicKey)
	if err != nil {
		return nil, err
	}
	challenge, err := base64.StdEncoding.DecodeString(hello.Challenge)
	if err != nil {
		return nil, err
	}
	err = o.sendPlain(ws, deadline, TypeHandshakeAck, hello.Identity.ID, map[string]any{
		"identity":          o.Identity.Public,
		"challengeResponse": base64.StdEncoding.EncodeToString(ChallengeResponse(secret, challenge)),
		"accepted":          true,
	})
	if err != nil {
		return nil, err
	}
	return newConn(ws, o, hello.Identity, hello.Features, secret), nil
}

// sendPlain sends a handshake message with the features of the options, modified by Spoil.
func (o Options) sendPlain(ws *websocket.Conn, deadline time.Time, typ, to string, payload map[string]any) error {
	if len(o.Features) > 0 {
		payload["features"] = o.Features
	}
	if o.Spoil != nil {
		o.Spoil(payload)
	}
	e, err := NewEnvelope(typ, o.Identity.ID, to, payload)
	if err != nil {
		return err
	}
	text, err := marshal(e)
	if err != nil {
		return err
	}
	if err := ws.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return ws.WriteMessage(websocket.TextMessage, text)
}

// recvPlain reads one handshake message, requires the type typ and decodes its payload.
func recvPlain(ws *websocket.Conn, deadline time.Time, typ string, payload any) error {
	if err := ws.SetReadDeadline(deadline); err != nil {
		return err
	}
	_, text, err := ws.ReadMessage()
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	var e Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if e.Type != typ {
		return fmt.Errorf("handshake: got a message of type %q, want %q", e.Type, typ)
	}
	if err := json.Unmarshal(e.Payload, payload); err != nil {
		return fmt.Errorf("handshake: payload: %w", err)
	}
	return ws.SetReadDeadline(time.Time{})
}
