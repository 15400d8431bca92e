package crypto

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestFrameVectors(t *testing.T) {
	var frames []frameVector
	readVectors(t, "frames.json", &frames)
	opener := mustCodec(t).NewOpener()
	for _, v := range frames {
		if body, err := opener.Open(bytes.Clone(v.Frame)); err != nil || string(body) != v.JSON {
			t.Errorf("%s: %.100q, %v", v.Name, body, err)
		}
	}
	if len(frames) != 9 {
		t.Errorf("%d vectors", len(frames))
	}
}

func TestRefusedFrameVectors(t *testing.T) {
	want := map[string]error{
		"empty":                      ErrNotContainer,
		"text":                       ErrNotContainer,
		"wrong magic":                ErrNotContainer,
		"wrong container version":    ErrContainerVersion,
		"header length past the end": ErrHeaderLength,
		"header length of 4 GiB":     ErrHeaderLength,
		"header that is no JSON":     ErrHeader,
		"cut in the nonce":           ErrTruncated,
		"cut by one byte":            ErrAuthentication,
		"one bit flipped":            ErrAuthentication,
		"another peer's key":         ErrAuthentication,
		"gzip bomb":                  ErrCompressed,
		"zstd bomb":                  ErrCompressed,
		// These are whole frames; what is in them is refused by whoever reads messages.
		"body is no Message":   nil,
		"body is a JSON array": nil,
		"body without an id":   nil,
		"time that is no time": nil,
	}
	var frames []frameVector
	readVectors(t, "refused-frames.json", &frames)
	opener := mustCodec(t).NewOpener()
	for _, v := range frames {
		wanted, known := want[v.Name]
		body, err := opener.Open(bytes.Clone(v.Frame))
		if !known || !errors.Is(err, wanted) || wanted != nil && (body != nil || !errors.Is(err, ErrMalformedFrame)) {
			t.Errorf("%s (%s): %q, %v, want %v", v.Name, v.Why, body, err, wanted)
		}
		delete(want, v.Name)
	}
	if len(want) != 0 {
		t.Errorf("no vectors for %v", want)
	}
}

func TestHeaders(t *testing.T) {
	plaintext := []byte(`{"body":"x","timestamp":1}`)
	for head, want := range map[string]error{
		`{}`:                                nil,
		` { "hint" : [1,{"a":null}] } `:     nil,
		`{"compression2":1,"Format":"v2"}`:  nil,
		`{"nested":{"compression":"gzip"}}`: nil,
		`{"algorithm":"other"}`:             nil, // the tag decides
		``:                                  ErrHeader,
		`null`:                              ErrHeader,
		`[]`:                                ErrHeader,
		`{}{}`:                              ErrHeader,
		`{"a":1,}`:                          ErrHeader,
		`{"a":"` + "\xff" + `"}`:            ErrHeader,
		`{"checksum":"0","checksum_algo":"sha256"}`: ErrHeader,
		`{"compression":""}`:                        ErrCompressed,
		`{"compression":null}`:                      ErrCompressed,
		`{"compress\u0069on":"gzip"}`:               ErrCompressed,
		`{"format":"v2"}`:                           ErrCompressed,
		`{"a":1,"format":1`:                         ErrCompressed,
		`{"a":` + strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting) + `}`:     ErrHeader,
		`{"a":` + strings.Repeat("[", maxNesting-1) + strings.Repeat("]", maxNesting-1) + `}`: nil,
		`{"a":"` + strings.Repeat("x", maxHeader-8) + `"}`:                                    nil,
		`{"a":"` + strings.Repeat("x", maxHeader-7) + `"}`:                                    ErrHeaderLength,
	} {
		codec := mustCodec(t)
		body, err := codec.NewOpener().Open(sealRaw(codec, head, plaintext, [nonceLen]byte{1}))
		if !errors.Is(err, want) || want == nil && string(body) != "x" {
			t.Errorf("header %.80q: %q, %v, want %v", head, body, err, want)
		}
	}
}

func TestPlaintexts(t *testing.T) {
	deep := `{"body":"x","a":` + strings.Repeat(`{"a":`, 100_000)
	for plaintext, want := range map[string]string{ // "" means refused
		`{"body":"x","timestamp":1}`:                          "x",
		` { "timestamp" : -1 , "meta" : {} , "body" : "x" } `: "x",
		`{"body":"x"}`: "x",
		`{"b\u006fdy":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80\ud83d"}`: "x\"\\/\b\f\n\r\té🚀\ufffd",
		`{"body":"\ud83d\u0041\udc00\ud83d\ud83d\ude80"}`:           "\ufffdA\ufffd\ufffd🚀",
		`{"body":"a","body":"b"}`:                                   "b",
		`{"body":"x","timestamp":9223372036854775807}`:              "x",
		`{"body":"x","timestamp":9223372036854775808}`:              "",
		`{"body":"x","timestamp":-9223372036854775808}`:             "x",
		`{"body":"x","timestamp":-9223372036854775809}`:             "",
		`{"body":"x","timestamp":1.5}`:                              "",
		`{"body":"x","timestamp":1e3}`:                              "",
		`{"body":"x","timestamp":01}`:                               "",
		`{"body":"x","timestamp":"1"}`:                              "",
		`{"body":"x","timestamp":null}`:                             "",
		`{"body":"","timestamp":1}`:                                 "",
		`{"timestamp":1}`:                                           "",
		`{"Body":"x","timestamp":1}`:                                "",
		`{"body":null}`:                                             "",
		`{"body":1}`:                                                "",
		`{"body":["x"]}`:                                            "",
		`{"body":"\x"}`:                                             "",
		`{"body":"\u12g4"}`:                                         "",
		`{"body":"\u123"}`:                                          "",
		`{"body":"\`:                                                "",
		`{"body":"x`:                                                "",
		"{\"body\":\"x\ny\"}":                                       "",
		"{\"body\":\"\xff\"}":                                       "",
		`{"body":"x"} 1`:                                            "",
		`{"body":"x",}`:                                             "",
		`"x"`:                                                       "",
		``:                                                          "",
		deep:                                                        "",
	} {
		codec := mustCodec(t)
		frame := sealRaw(codec, header, []byte(plaintext), [nonceLen]byte{1})
		body, err := codec.NewOpener().Open(frame)
		if string(body) != want || (want == "") != errors.Is(err, ErrPlaintext) {
			t.Errorf("%.80q: %q, %v", plaintext, body, err)
		}
		if err != nil && bytes.Contains(frame, []byte("body")) {
			t.Errorf("%.80q: refused, but left in the frame", plaintext)
		}
	}
}
