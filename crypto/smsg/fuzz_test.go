package smsg

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"

	"github.com/Snider/Borg/pkg/smsg"
)

// FuzzOpen opens arbitrary bytes. The reference library must open the same frames to the same bodies, except frames
// that Opener refuses deliberately.
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
	key, secret := mustKey(f), password(f)
	for _, head := range []string{`{}`, `{"format":""}`, `{"a":[1.5e-3,true,{"b":"\u00e9\ud83d"}]}`, `null`} {
		f.Add(sealRaw(key, head, []byte(`{"body":"x","timestamp":1}`), [nonceLen]byte{1}))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		plaintext, err := key.NewOpener(checkHeader).Open(bytes.Clone(frame))
		if err != nil && (plaintext != nil || !errors.Is(err, ErrMalformedFrame)) {
			t.Fatalf("%q, %v", plaintext, err)
		}
		if !referenceSurvives(frame) {
			if err == nil {
				t.Fatal("opened a frame that must not reach the reference")
			}
			return
		}
		var ours smsg.Message // by the library's own rules
		if err == nil && json.Unmarshal(plaintext, &ours) != nil {
			return // not a message for either side
		}
		msg, theirErr := smsg.Decrypt(frame, secret)
		switch {
		case err == nil && ours.Body != "" && (theirErr != nil || msg.Body != ours.Body):
			t.Fatalf("we open %q, the reference: %+v, %v", plaintext, msg, theirErr)
		case err != nil && theirErr == nil:
			t.Fatalf("the reference opens %+v, we: %v", msg, err)
		}
	})
}

// headerOf returns the header of frame. ok is false if its length is invalid or above maxHeader.
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

// referenceSurvives reports whether the reference can decrypt frame without excessive allocation, decompression or
// panic.
func referenceSurvives(frame []byte) bool {
	head, ok := headerOf(frame)
	return ok && checkHeader(head) == nil
}

// FuzzSealOpen seals and opens arbitrary bytes, and lets the reference open arbitrary text.
func FuzzSealOpen(f *testing.F) {
	for _, body := range oddBodies {
		f.Add([]byte(body), int64(1773234159))
	}
	key, secret := mustKey(f), password(f)
	f.Fuzz(func(t *testing.T, body []byte, at int64) {
		frame := mustSealer(t, key).Seal(nil, body)
		if len(frame) != len(body)+Overhead {
			t.Fatalf("%d bytes, promised %d", len(frame), len(body)+Overhead)
		}
		if got, err := key.NewOpener(nil).Open(frame); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%q, %v", got, err)
		}
		want := string([]rune(string(body))) // U+FFFD for each byte that is not UTF-8
		if want == "" {
			return
		}
		frame = mustSealer(t, key).Seal(nil, sealedText(t, want, at))
		if msg, err := smsg.Decrypt(frame, secret); err != nil || msg.Body != want || msg.Timestamp != at {
			t.Fatalf("the reference: %+v, %v", msg, err)
		}
	})
}
