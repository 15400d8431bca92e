package dedup

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../../crypto/testdata/vectors/" + name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openFrames returns the messages of frames.json, by name.
func openFrames(t *testing.T) map[string]*wire.Message {
	t.Helper()
	var keys struct{ SharedSecret []byte }
	readVectors(t, "keys.json", &keys)
	var frames []struct {
		Name  string
		Frame []byte
	}
	readVectors(t, "frames.json", &frames)
	key, err := smsg.NewKey(crypto.SharedSecret(keys.SharedSecret))
	if err != nil {
		t.Fatal(err)
	}
	opener := key.NewOpener(wire.CheckContainerHeader)
	messages := make(map[string]*wire.Message)
	for _, f := range frames {
		plaintext, err := opener.Open(f.Frame)
		if err != nil {
			t.Fatal(err)
		}
		if messages[f.Name], _, err = wire.DecodeSealedBody(plaintext, nil); err != nil {
			t.Fatal(err)
		}
	}
	return messages
}

// TestAllFormsHaveOneContentTag compares a message in an SMSG frame, in JSON form and in binary form.
func TestAllFormsHaveOneContentTag(t *testing.T) {
	own := expandSecret([16]byte{7})
	frames := openFrames(t)
	var v struct {
		Sender, Receiver string
		Messages         []struct {
			Name, Frame, Envelope string
			JSON, Binary          []byte
		}
	}
	readVectors(t, "messages.json", &v)
	d := wire.NewRecordDecoder(v.Sender, v.Receiver, 1<<20)
	inFrames := 0
	for _, tt := range v.Messages {
		m, err := wire.Decode([]byte(tt.Envelope))
		if err != nil {
			t.Fatal(err)
		}
		id, tag := own.idKey(m.ID), own.contentTag(m)
		check := func(form string, m *wire.Message) {
			if own.idKey(m.ID) != id || own.contentTag(m) != tag {
				t.Errorf("%s: other tags in %s: %+v", tt.Name, form, m)
			}
		}
		for form, record := range map[string][]byte{"JSON form": tt.JSON, "binary form": tt.Binary} {
			if record == nil {
				continue
			}
			d.Reset(record, nil)
			m, err := d.Next()
			if err != nil {
				t.Fatalf("%s, %s: %v", tt.Name, form, err)
			}
			check(form, m)
		}
		if tt.Frame != "" {
			check("SMSG", frames[tt.Frame])
			inFrames++
		}
	}
	if inFrames != 6 {
		t.Errorf("%d messages are in frames too, want 6", inFrames)
	}
}
