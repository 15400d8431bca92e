package crypto

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/Snider/Borg/pkg/smsg"
)

// FuzzOpen opens anything. What we open the reference opens alike, and the other
// way round but for what we refuse on purpose.
func FuzzOpen(f *testing.F) {
	for _, file := range []string{"frames.json", "refused-frames.json"} {
		var frames []frameVector
		readVectors(f, file, &frames)
		for _, v := range frames {
			if len(v.Frame) < 1<<10 {
				f.Add(v.Frame)
			}
		}
	}
	codec, secret := mustCodec(f), password(f)
	for _, head := range []string{`{}`, `{"format":""}`, `{"a":[1.5e-3,true,{"b":"\u00e9\ud83d"}]}`, `null`} {
		f.Add(sealRaw(codec, head, []byte(`{"body":"x","timestamp":1}`), [nonceLen]byte{1}))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		body, err := codec.NewOpener().Open(bytes.Clone(frame))
		if (err == nil) == (len(body) == 0) || err != nil && !errors.Is(err, ErrMalformedFrame) {
			t.Fatalf("%q, %v", body, err)
		}
		if !referenceSurvives(frame) {
			if err == nil {
				t.Fatal("opened a frame that is not for the reference")
			}
			return
		}
		msg, theirErr := smsg.Decrypt(frame, secret)
		switch {
		case err == nil && (theirErr != nil || msg.Body != string(body)):
			t.Fatalf("we open %q, the reference: %+v, %v", body, msg, theirErr)
		case err != nil && theirErr == nil && msg.Body != "" && !errors.Is(err, ErrHeader):
			t.Fatalf("the reference opens %+v, we: %v", msg, err)
		case err != nil && theirErr == nil && plainHeader(frame):
			t.Fatalf("the reference opens %+v, we: %v", msg, err)
		}
	})
}

// headerOf returns the header, as far as there is one of the length that the reference may see.
func headerOf(frame []byte) (head []byte, ok bool) {
	if len(frame) < prefixLen {
		return nil, false
	}
	size := binary.BigEndian.Uint32(frame[5:])
	if size > maxHeader || int(size) > len(frame)-prefixLen {
		return nil, false
	}
	return frame[prefixLen:][:size], true
}

// referenceSurvives keeps frames from the reference that make it allocate, expand or panic.
func referenceSurvives(frame []byte) bool {
	head, ok := headerOf(frame)
	var keys map[string]json.RawMessage
	if !ok || json.Unmarshal(head, &keys) != nil {
		return false
	}
	for _, key := range []string{"compression", "format", "checksum", "checksum_algo"} {
		if keys[key] != nil {
			return false
		}
	}
	return true
}

// plainHeader tells that a header has none of what we refuse and the reference does not: it is an
// object (not null), is UTF-8, and is not deep.
func plainHeader(frame []byte) bool {
	head, _ := headerOf(frame)
	return strings.HasPrefix(strings.TrimLeft(string(head), " \t\r\n"), "{") && utf8.Valid(head) && !deep(head)
}

func deep(text []byte) bool {
	return bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > maxNesting
}

// FuzzSealOpen carries any text there and back, here and at the reference.
func FuzzSealOpen(f *testing.F) {
	for _, body := range oddBodies {
		f.Add([]byte(body), int64(1773234159))
	}
	codec, secret := mustCodec(f), password(f)
	f.Fuzz(func(t *testing.T, body []byte, now int64) {
		if len(body) == 0 {
			return
		}
		want := string([]rune(string(body))) // U+FFFD for each byte that is not UTF-8
		escaped := EscapeBody(nil, body)
		frame := mustSealer(t, codec).Seal(nil, escaped, now)
		if len(frame) != FrameSize(len(escaped), now) {
			t.Fatalf("%d bytes, promised %d", len(frame), FrameSize(len(escaped), now))
		}
		if msg, err := smsg.Decrypt(frame, secret); err != nil || msg.Body != want || msg.Timestamp != now {
			t.Fatalf("the reference: %+v, %v", msg, err)
		}
		if got, err := codec.NewOpener().Open(frame); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

// FuzzOpenPlaintext opens any plaintext and compares with encoding/json.
func FuzzOpenPlaintext(f *testing.F) {
	for _, plaintext := range []string{
		`{"body":"x","timestamp":1}`, ` { "timestamp" : -1.5e+3 , "meta" : {"a":[true,false,null]} , "body" : "x" } `,
		`{"b\u006fdy":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80\ud83d\u00"}`, `{"body":1,"body":"b"}`, `{"body":null}`, `[]`,
		`{"body":"abcdefghijklmnopqrstuvwxyz\\0123456789\"","timestamp":9223372036854775808,"a":-0,"b":01}`,
	} {
		f.Add([]byte(plaintext))
	}
	codec := mustCodec(f)
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		want, opens := decodeLikeJSON(plaintext)
		body, err := codec.NewOpener().Open(sealRaw(codec, header, plaintext, [nonceLen]byte{1}))
		if err != nil && (!errors.Is(err, ErrPlaintext) || body != nil) {
			t.Fatalf("%q, %v", body, err)
		}
		if err == nil && (!opens || string(body) != want) || err != nil && opens && !deep(plaintext) {
			t.Fatalf("%q, %v; encoding/json: %q, %v", body, err, want, opens)
		}
		if err == nil {
			checkSkips(t, plaintext, body)
		}
	})
}

// decodeLikeJSON is parsePlaintext in terms of encoding/json, but for the limit on nesting.
// Of a key that comes twice every value must be of the right type, and the last one counts.
func decodeLikeJSON(plaintext []byte) (body string, opens bool) {
	if !utf8.Valid(plaintext) || !json.Valid(plaintext) {
		return "", false
	}
	decoder := json.NewDecoder(bytes.NewReader(plaintext))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return "", false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return "", false
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return "", false
		}
		var text *string
		var number *int64
		switch key {
		case "body":
			if json.Unmarshal(value, &text) != nil || text == nil {
				return "", false
			}
			body = *text
		case "timestamp":
			if json.Unmarshal(value, &number) != nil || number == nil {
				return "", false
			}
		}
	}
	return body, body != ""
}
