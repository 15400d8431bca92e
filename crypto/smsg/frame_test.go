package smsg

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

func TestOpenReadsTheVectors(t *testing.T) {
	var frames []frameVector
	readVectors(t, "frames.json", &frames)
	opener := mustKey(t).NewOpener(checkHeader)
	for _, v := range frames {
		plaintext, err := opener.Open(bytes.Clone(v.Frame))
		var inside struct{ Body string }
		if err == nil {
			err = json.Unmarshal(plaintext, &inside)
		}
		if err != nil || inside.Body != v.JSON {
			t.Errorf("%s: %.100q, %v", v.Name, plaintext, err)
		}
	}
	if len(frames) != 9 {
		t.Errorf("%d vectors", len(frames))
	}
}

func TestOpenRefusesTheVectors(t *testing.T) {
	want := map[string]error{
		"empty":                      ErrNotContainer,
		"text":                       ErrNotContainer,
		"wrong magic":                ErrNotContainer,
		"wrong container version":    ErrVersion,
		"header length past the end": ErrHeaderLength,
		"header length of 4 GiB":     ErrHeaderLength,
		"header that is no JSON":     ErrHeader,
		"cut in the nonce":           ErrTruncated,
		"cut by one byte":            ErrAuthentication,
		"one bit flipped":            ErrAuthentication,
		"another peer's key":         ErrAuthentication,
		"gzip bomb":                  ErrHeader,
		"zstd bomb":                  ErrHeader,
		// Valid frames: package wire refuses their content.
		"body is no Message":   nil,
		"body is a JSON array": nil,
		"body without an id":   nil,
		"time that is no time": nil,
	}
	var frames []frameVector
	readVectors(t, "refused-frames.json", &frames)
	opener := mustKey(t).NewOpener(checkHeader)
	for _, v := range frames {
		wanted, known := want[v.Name]
		plaintext, err := opener.Open(bytes.Clone(v.Frame))
		if !known || !errors.Is(err, wanted) || wanted != nil && (plaintext != nil || !errors.Is(err, ErrMalformedFrame)) {
			t.Errorf("%s (%s): %q, %v, want %v", v.Name, v.Why, plaintext, err, wanted)
		}
		delete(want, v.Name)
	}
	if len(want) != 0 {
		t.Errorf("no vectors for %v", want)
	}
}

// TestOpenPassesUnusualHeadersToTheCheck requires that the check runs, before decryption, for each header that
// differs from the header of deployed nodes.
func TestOpenPassesUnusualHeadersToTheCheck(t *testing.T) {
	key := mustKey(t)
	for head, want := range map[string]struct {
		asked bool
		err   error // with a check that accepts
		none  error // without a check
	}{
		header:                                   {false, nil, nil},
		header + " ":                             {true, nil, ErrHeader},
		`{}`:                                     {true, nil, ErrHeader},
		``:                                       {true, nil, ErrHeader},
		"\xff":                                   {true, nil, ErrHeader},
		strings.Repeat("x", maxHeader):           {true, nil, ErrHeader},
		strings.Repeat("x", maxHeader+1):         {false, ErrHeaderLength, ErrHeaderLength},
		header[:len(header)-1] + `,"hint":"h"}`:  {true, nil, ErrHeader},
		strings.Replace(header, "1.0", "2.0", 1): {true, nil, ErrHeader},
	} {
		frame := sealRaw(key, head, []byte("x"), [nonceLen]byte{1})
		for _, refuse := range []error{nil, errTestHeader} {
			asked := false
			plaintext, err := key.NewOpener(func(got []byte) error {
				asked = true
				if string(got) != head {
					t.Errorf("asked about %q, want %q", got, head)
				}
				return refuse
			}).Open(bytes.Clone(frame))
			switch {
			case asked != want.asked:
				t.Errorf("header %.80q: asked %v, want %v", head, asked, want.asked)
			case asked && refuse != nil:
				if !errors.Is(err, refuse) || !errors.Is(err, ErrHeader) || plaintext != nil {
					t.Errorf("header %.80q, refused: %q, %v", head, plaintext, err)
				}
			case !errors.Is(err, want.err) || err == nil && string(plaintext) != "x":
				t.Errorf("header %.80q: %q, %v, want %v", head, plaintext, err, want.err)
			}
		}
		if _, err := key.NewOpener(nil).Open(bytes.Clone(frame)); !errors.Is(err, want.none) {
			t.Errorf("header %.80q without a check: %v, want %v", head, err, want.none)
		}
	}
}

// TestKeysPrintRedacted requires that no printed, logged or encoded text contains a key.
func TestKeysPrintRedacted(t *testing.T) {
	key, err := NewKey(crypto.SharedSecret(bytes.Repeat([]byte{0xab}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U"} {
		fmt.Fprintf(&out, verb+verb+verb, key, mustSealer(t, key), key.NewOpener(nil))
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "a", key)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "a", key)
	text, first := strings.ToLower(out.String()), key.key[:4]
	for _, s := range []string{
		"abab", "171 171", strings.Trim(fmt.Sprintf("%d", first), "[]"), fmt.Sprintf("%x", first),
		fmt.Sprintf("%#v", first[:2])[7:17],
	} {
		if strings.Contains(text, s) {
			t.Errorf("the output contains %q", s)
		}
	}
}
