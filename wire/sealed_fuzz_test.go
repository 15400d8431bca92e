package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzDecodeSealedBody decodes arbitrary plaintexts and compares with encoding/json and Decode.
func FuzzDecodeSealedBody(f *testing.F) {
	for _, plaintext := range []string{
		`{"body":"x","timestamp":1}`, ` { "timestamp" : -1.5e+3 , "meta" : {"a":[true,false,null]} , "body" : "x" } `,
		`{"b\u006fdy":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80\ud83d\u00"}`, `{"body":1,"body":"b"}`, `{"body":null}`, `[]`,
		`{"body":"abcdefghijklmnopqrstuvwxyz\\0123456789\"","timestamp":9223372036854775808,"a":-0,"b":01}`,
		`{"body":"x","meta":{"bind":"a"},"meta":{"bind":"a"}}`, `{"body":"\ud83d\u`,
	} {
		f.Add([]byte(plaintext))
	}
	for _, data := range frameSeeds(f) {
		f.Add(seal(data))
	}
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		want, opens := readLikeJSON(plaintext)
		input := bytes.Clone(plaintext)
		m, bind, err := DecodeSealedBody(input, nil)
		if (m == nil) != (err != nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("%+v, %v", m, err)
		}
		if errors.Is(err, ErrPlaintext) {
			if opens && !deep(plaintext) || bind != nil {
				t.Fatalf("bind %q, %v; encoding/json reads %q", bind, err, want)
			}
			return
		}
		if !opens {
			t.Fatalf("%+v, %v; encoding/json reads nothing", m, err)
		}
		clear(input) // reveals references to input
		same, sameErr := Decode([]byte(want))
		if (err == nil) != (sameErr == nil) || err == nil && !sameMessage(m, same) ||
			err != nil && err.Error() != sameErr.Error() {
			t.Fatalf("%q:\ngot  %+v, %v\nwant %+v, %v", want, m, err, same, sameErr)
		}
	})
}

func deep(text []byte) bool {
	return bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > maxSealedDepth+1
}

// readLikeJSON implements sealedBody.scan with encoding/json, without the limit on nesting. All values of a duplicate
// key must have the required type; the last one counts.
func readLikeJSON(plaintext []byte) (body string, opens bool) {
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
