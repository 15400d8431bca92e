package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// messageVectors is messages.json, which a program in Python computed.
type messageVectors struct {
	Sender, Receiver string
	Messages         []struct {
		Name, Envelope string
		JSON, Binary   []byte
	}
	Records []struct {
		Name      string
		Plaintext []byte
		Envelopes []string
	}
	Refused []struct {
		Name      string
		Plaintext []byte
	}
	Broken []struct {
		Name      string
		Plaintext []byte
		Messages  int
	}
}

// readMessageVectors returns the vectors and a decoder for their records.
func readMessageVectors(t *testing.T) (v messageVectors, decode func(record []byte) []result) {
	t.Helper()
	data, err := os.ReadFile("../crypto/testdata/vectors/messages.json")
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil || len(v.Messages) != 47 || len(v.Records) != 2 || len(v.Refused) != 28 || len(v.Broken) != 7 {
		t.Fatalf("vectors: %v, %d, %d, %d, %d", err, len(v.Messages), len(v.Records), len(v.Refused), len(v.Broken))
	}
	d := NewRecordDecoder(v.Sender, v.Receiver, 1<<20)
	return v, func(record []byte) []result {
		d.Reset(record, nil)
		return decodeRecord(d)
	}
}

func decodeEnvelope(t *testing.T, text string) *Message {
	t.Helper()
	m, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkMessages requires the messages of the envelopes.
func checkMessages(t *testing.T, results []result, envelopes ...string) {
	t.Helper()
	if len(results) != len(envelopes) {
		t.Errorf("%d messages, want %d", len(results), len(envelopes))
		return
	}
	for i, r := range results {
		if want := decodeEnvelope(t, envelopes[i]); r.err != nil || !sameMessage(r.m, want) {
			t.Errorf("message %d: got %+v, %v\nwant %+v", i, r.m, r.err, want)
		}
	}
}

func TestMessagesMatchTheVectors(t *testing.T) {
	v, decode := readMessageVectors(t)
	for _, tt := range v.Messages {
		t.Run(tt.Name, func(t *testing.T) {
			m := decodeEnvelope(t, tt.Envelope)
			want := tt.Binary
			if want == nil {
				want = tt.JSON
			} else {
				checkMessages(t, decode(tt.Binary), tt.Envelope)
			}
			checkMessages(t, decode(tt.JSON), tt.Envelope)
			if got, err := AppendMessage(nil, m, v.Sender, v.Receiver); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got  %q, %v\nwant %q", got, err, want)
			}
		})
	}
	for _, tt := range v.Records {
		t.Run(tt.Name, func(t *testing.T) { checkMessages(t, decode(tt.Plaintext), tt.Envelopes...) })
	}
}

func TestRecordDecoderRefusesTheVectors(t *testing.T) {
	v, decode := readMessageVectors(t)
	for _, tt := range v.Refused {
		results := decode(tt.Plaintext)
		if len(results) != 3 || results[0].err != nil || results[2].err != nil ||
			!errors.Is(results[1].err, ErrMalformed) {
			t.Errorf("%s: got %+v", tt.Name, results)
		}
	}
	for _, tt := range v.Broken {
		results := decode(tt.Plaintext)
		if len(results) != tt.Messages+1 || results[tt.Messages].err != ErrRecord {
			t.Errorf("%s: got %+v", tt.Name, results)
		}
		for _, r := range results[:tt.Messages] {
			if r.err != nil {
				t.Errorf("%s: %v", tt.Name, r.err)
			}
		}
	}
}
