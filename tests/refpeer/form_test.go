package refpeer

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	formSender   = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	formReceiver = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	formID       = "00112233-4455-4677-8899-aabbccddeeff"
)

// sample returns a message of the shortest binary form, changed.
func sample(change func(*Envelope)) Envelope {
	e := Envelope{
		ID: formID, Type: "chat", From: formSender, To: formReceiver, TS: "1970-01-01T00:00:00.000000001Z",
		Payload: []byte("{}"),
	}
	change(&e)
	return e
}

func TestBinaryFormKeepsAllFields(t *testing.T) {
	id := "00112233445546778899aabbccddeeff"
	stamp := "0000000000000001"
	for want, change := range map[string]func(*Envelope){
		"00 0e " + id + stamp + "7b7d":              func(*Envelope) {},
		"00 01 " + id + stamp + "7b7d":              func(e *Envelope) { e.Type = TypePing },
		"00 00 " + id + "0161" + stamp + "7b7d":     func(e *Envelope) { e.Type = "a" },
		"03 0e " + id + "0163" + stamp + "7b7d":     func(e *Envelope) { e.From = "c" },
		"04 0e " + id + stamp + "7b7d":              func(e *Envelope) { e.To = "" },
		"0c 0e " + id + "0163" + stamp + "7b7d":     func(e *Envelope) { e.To = "c" },
		"10 0e 0178" + stamp + "7b7d":               func(e *Envelope) { e.ID = "x" },
		"20 0e " + id + stamp + id + "7b7d":         func(e *Envelope) { e.ReplyTo = formID },
		"a0 0e " + id + stamp + "0179" + "7b7d":     func(e *Envelope) { e.ReplyTo = "y" },
		"00 0e " + id + "ffffffffffffffff" + "7b7d": func(e *Envelope) { e.TS = "1969-12-31T23:59:59.999999999Z" },
		"00 0e " + id + stamp + "6e756c6c":          func(e *Envelope) { e.Payload = []byte("null") },
		"10 0e 24" + upperText + stamp + "7b7d":     func(e *Envelope) { e.ID = strings.ToUpper(formID) },
		"00 0e " + id + "8000000000000000" + "7b7d": func(e *Envelope) { e.TS = "1677-09-21T00:12:43.145224192Z" },
	} {
		e := sample(change)
		got, err := EncodeBinary(e, formSender, formReceiver)
		if err != nil || hex.EncodeToString(got) != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%+v:\n got %x, %v\nwant %s", e, got, err, want)
			continue
		}
		back, form, err := DecodeMessage(got, formSender, formReceiver)
		if err != nil || form != FormBinary || fmt.Sprint(back) != fmt.Sprint(e) {
			t.Errorf("%+v comes back as %+v, %v", e, back, err)
		}
	}
}

// upperText is the hex of formID in upper case, which is no UUID in its usual text.
var upperText = hex.EncodeToString([]byte(strings.ToUpper(formID)))

func TestBinaryFormHasLimits(t *testing.T) {
	for name, change := range map[string]func(*Envelope){
		"year 2300":           func(e *Envelope) { e.TS = "2300-01-01T00:00:00Z" },
		"year 1600":           func(e *Envelope) { e.TS = "1600-01-01T00:00:00Z" },
		"ID of 65 bytes":      func(e *Envelope) { e.ID = strings.Repeat("i", 65) },
		"replyTo of 65 bytes": func(e *Envelope) { e.ReplyTo = strings.Repeat("i", 65) },
		"type of 1025 bytes":  func(e *Envelope) { e.Type = strings.Repeat("t", 1025) },
		"offset from UTC":     func(e *Envelope) { e.TS = "2026-01-01T00:00:00+01:00" },
		"no type":             func(e *Envelope) { e.Type = "" },
	} {
		if got, err := EncodeBinary(sample(change), formSender, formReceiver); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestDecodeRefusesReservedValues(t *testing.T) {
	good, err := EncodeBinary(sample(func(*Envelope) {}), formSender, formReceiver)
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, value byte) []byte {
		changed := bytes.Clone(good)
		changed[at] = value
		return changed
	}
	for name, message := range map[string][]byte{
		"from 1": with(0, 1), "from 2": with(0, 2), "to 2": with(0, 8), "bit 6": with(0, 64), "bit 7 alone": with(0, 128),
		"code 15": with(1, 15), "code 255": with(1, 255), "cut": good[:20], "empty": {}, "one byte": good[:1],
		"no payload": good[:len(good)-2], "half a payload": good[:len(good)-1],
		"empty text":    append([]byte{0x10, 0x0e, 0}, good[18:]...),
		"not UTF-8":     append([]byte{0x10, 0x0e, 1, 0xff}, good[18:]...),
		"text of 65":    append(append([]byte{0x10, 0x0e, 65}, strings.Repeat("i", 65)...), good[18:]...),
		"padded length": append([]byte{0x10, 0x0e, 0x81, 0, 'i'}, good[18:]...),
		"half of JSON":  []byte(`{"id":`),
	} {
		if e, _, err := DecodeMessage(message, formSender, formReceiver); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}
