package refpeer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
)

// messageVectors is vectors/messages.json: messages in records from A to B of keys.json.
type messageVectors struct {
	Sender, Receiver string
	Messages         []struct {
		Name, Envelope string
		JSON, Binary   []byte // with their lengths
	}
	Records []struct {
		Name      string
		Plaintext []byte
		Envelopes []string
	}
	Refused []struct {
		Name      string
		Plaintext []byte // the second of three messages is malformed
	}
	Broken []struct {
		Name      string
		Plaintext []byte
		Messages  int // before the fault
	}
}

func readMessageVectors(t *testing.T) (v messageVectors) {
	t.Helper()
	text, err := os.ReadFile("../../crypto/testdata/vectors/messages.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Messages) < 47 || len(v.Records) < 2 || len(v.Refused) < 28 || len(v.Broken) < 7 {
		t.Fatalf("messages.json: %v, %d messages, %d records, %d refused, %d broken", err, len(v.Messages),
			len(v.Records), len(v.Refused), len(v.Broken))
	}
	return v
}

// decode requires that a plaintext holds messages that equal the envelopes.
func (v messageVectors) decode(t *testing.T, name string, plaintext []byte, envelopes ...string) {
	t.Helper()
	messages, err := SplitMessages(plaintext)
	if err != nil || len(messages) != len(envelopes) {
		t.Errorf("%s: %d messages, want %d: %v", name, len(messages), len(envelopes), err)
		return
	}
	for n, message := range messages {
		var want Envelope
		if err := json.Unmarshal([]byte(envelopes[n]), &want); err != nil {
			t.Fatal(err)
		}
		got, _, err := DecodeMessage(message, v.Sender, v.Receiver)
		if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s, message %d, %v:\n got %q\nwant %q", name, n, err, got, want)
		}
	}
}

func TestMessageVectorsMatch(t *testing.T) {
	v := readMessageVectors(t)
	for _, m := range v.Messages {
		var e Envelope
		if err := json.Unmarshal([]byte(m.Envelope), &e); err != nil {
			t.Fatal(err)
		}
		form, err := EncodeBinary(e, v.Sender, v.Receiver)
		switch {
		case len(m.Binary) == 0 && !errors.Is(err, ErrForm):
			t.Errorf("%s: has the binary form %x, want none: %v", m.Name, form, err)
		case len(m.Binary) > 0 && (err != nil || !bytes.Equal(Frame(form), m.Binary)):
			t.Errorf("%s: got %x, want %x: %v", m.Name, Frame(form), m.Binary, err)
		case len(m.Binary) > 0:
			v.decode(t, m.Name, m.Binary, m.Envelope)
		}
		v.decode(t, m.Name+", JSON", m.JSON, m.Envelope)
	}
	for _, r := range v.Records {
		v.decode(t, r.Name, r.Plaintext, r.Envelopes...)
	}
}

func TestRefusedMessageVectorsAreRefused(t *testing.T) {
	v := readMessageVectors(t)
	for _, r := range v.Refused {
		messages, err := SplitMessages(r.Plaintext)
		if err != nil || len(messages) != 3 {
			t.Errorf("%s: %d messages, %v", r.Name, len(messages), err)
			continue
		}
		for n, message := range messages {
			if _, _, err := DecodeMessage(message, v.Sender, v.Receiver); (err == nil) == (n == 1) {
				t.Errorf("%s: message %d: %v", r.Name, n, err)
			}
		}
	}
	for _, r := range v.Broken {
		if messages, err := SplitMessages(r.Plaintext); !errors.Is(err, ErrRecord) || len(messages) != r.Messages {
			t.Errorf("%s: %d messages, want %d: %v", r.Name, len(messages), r.Messages, err)
		}
	}
}
