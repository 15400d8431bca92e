package systems

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"sync"
	"time"

	"github.com/Snider/Borg/pkg/smsg"
	"github.com/google/uuid"
)

// envelope is a message of the reference path (protocol section 2).
type envelope struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Timestamp time.Time       `json:"ts"`
	Payload   json.RawMessage `json:"payload"`
	ReplyTo   string          `json:"replyTo,omitempty"`
}

func newEnvelope(kind, from, to string, payload any) (*envelope, error) {
	raw, err := marshal(payload)
	if err != nil {
		return nil, err
	}
	return &envelope{ID: uuid.NewString(), Type: kind, From: from, To: to, Timestamp: time.Now(), Payload: raw}, nil
}

var jsonBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// marshal encodes JSON as deployed nodes do: HTML characters unescaped, through a pooled buffer.
func marshal(v any) ([]byte, error) {
	buffer, _ := jsonBuffers.Get().(*bytes.Buffer)
	defer jsonBuffers.Put(buffer)
	buffer.Reset()
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))), nil
}

// sealBorg encrypts a message with the published library, including the key setup for each message.
func sealBorg(e *envelope, secret []byte) ([]byte, error) {
	text, err := marshal(e)
	if err != nil {
		return nil, err
	}
	return smsg.Encrypt(smsg.NewMessage(string(text)), base64.StdEncoding.EncodeToString(secret))
}

// openBorg is the inverse of sealBorg.
func openBorg(frame, secret []byte) (*envelope, error) {
	message, err := smsg.Decrypt(frame, base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		return nil, err
	}
	e := &envelope{}
	return e, json.Unmarshal([]byte(message.Body), e)
}
