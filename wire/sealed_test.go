package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// someBind has the form of a mark.
const someBind = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// seal returns the plaintext of a frame with these bytes as its body.
func seal(body []byte) []byte {
	text := append(appendBody([]byte(sealedHead), body), sealedTime...)
	return append(append(text, "1773234159"...), NewSealedEnd([]byte(someBind))...)
}

func TestSealedBodyRoundTrips(t *testing.T) {
	for _, m := range []*Message{
		message256(),
		{
			ID: "\"\n", Type: "<é>", From: "\\", To: "\u2028", Timestamp: testTime,
			Payload: json.RawMessage(`{"a":"\"\\\u0041🚀"}`), ReplyTo: `\"`,
		},
		{ID: "a", Type: "b", Timestamp: testTime, Payload: json.RawMessage("null"), ReplyTo: "r"},
	} {
		checkSealed(t, m)
		plaintext, err := AppendSealedBody(nil, m, testTime)
		if err != nil {
			t.Fatal(err)
		}
		for _, mark := range []string{"", someBind} {
			whole := append(bytes.Clone(plaintext), NewSealedEnd([]byte(mark))...)
			if !json.Valid(whole) {
				t.Fatalf("%s is not JSON", whole)
			}
			got, bind, err := DecodeSealedBody(whole, nil)
			if err != nil || !sameMessage(got, m) || string(bind) != mark || (bind == nil) != (mark == "") {
				t.Errorf("%s:\n%+v, bind %q, %v", plaintext, got, bind, err)
			}
		}
	}
}

// TestAppendSealedBodyMatchesTheWire compares with the exact bytes that deployed nodes read.
func TestAppendSealedBodyMatchesTheWire(t *testing.T) {
	m := &Message{
		ID: "i", Type: MsgPong, From: "f", To: "t", Timestamp: testTime,
		Payload: json.RawMessage(`{"a":"<&>\n"}`), ReplyTo: "r",
	}
	got, err := AppendSealedBody([]byte("before"), m, testTime)
	const want = `before{"body":"{\"id\":\"i\",\"type\":\"pong\",\"from\":\"f\",\"to\":\"t\",` +
		`\"ts\":\"2026-03-11T13:02:39.123456789Z\",\"payload\":{\"a\":\"<&>\\n\"},\"replyTo\":\"r\"}","timestamp":1773234159`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	end := NewSealedEnd([]byte(someBind))
	if want := `,"meta":{"bind":"` + someBind + `"}}`; string(end) != want || string(end.Bind()) != someBind {
		t.Errorf("ends with %s, mark %s, want %s", end, end.Bind(), want)
	}
	if end := NewSealedEnd(nil); string(end) != "}" || end.Bind() != nil || SealedEnd(nil).Bind() != nil {
		t.Errorf("ends with %s without a mark", end)
	}
}

// plaintexts maps plaintexts to their bodies, or to "" if they are refused.
var plaintexts = map[string]string{
	`{"body":"x","timestamp":1}`:                          "x",
	` { "timestamp" : -1 , "meta" : {} , "body" : "x" } `: "x",
	`{"body":"x"}`: "x",
	`{"b\u006fdy":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude80\ud83d"}`: "x\"\\/\b\f\n\r\té🚀\ufffd",
	`{"body":"\ud83d\u0041\udc00\ud83d\ud83d\ude80"}`:           "\ufffdA\ufffd\ufffd🚀",
	`{"body":"a","body":"b"}`:                                   "b",
	`{"body":"x","timestamp":0}`:                                "x",
	`{"body":"x","timestamp":-0}`:                               "x",
	`{"body":"x","timestamp":123456789012345678}`:               "x",
	`{"body":"x","timestamp":9223372036854775807}`:              "x",
	`{"body":"x","timestamp":9223372036854775808}`:              "",
	`{"body":"x","timestamp":99999999999999999999}`:             "",
	`{"body":"x","timestamp":-9223372036854775808}`:             "x",
	`{"body":"x","timestamp":-9223372036854775809}`:             "",
	`{"body":"x","timestamp":1.5}`:                              "",
	`{"body":"x","timestamp":1e3}`:                              "",
	`{"body":"x","timestamp":01}`:                               "",
	`{"body":"x","timestamp":}`:                                 "",
	`{"body":"x","timestamp":-}`:                                "",
	`{"body":"x","timestamp":`:                                  "",
	`{"body":"x","timestamp":12a}`:                              "",
	`{"body":"x","timestamp":"1"}`:                              "",
	`{"body":"x","timestamp":null}`:                             "",
	`{"body":"x","timestamp":"1","timestamp":1}`:                "",
	`{"body":"x","Timestamp":"1"}`:                              "x",
	`{"body":"x","timestamp":1,"meta":7}`:                       "x",
	`{"body":"x","timestamp":1,"subject":"s"}`:                  "x",
	`{"body":"","timestamp":1}`:                                 "",
	`{"body":"x","body":""}`:                                    "",
	`{"timestamp":1}`:                                           "",
	`{"Body":"x","timestamp":1}`:                                "",
	`{"body":null}`:                                             "",
	`{"body":1}`:                                                "",
	`{"body":1,"body":"x"}`:                                     "",
	`{"body":["x"]}`:                                            "",
	`{"body":"\x"}`:                                             "",
	`{"body":"\u12g4"}`:                                         "",
	`{"body":"\u123"}`:                                          "",
	`{"body":"\ud83d\ude8"}`:                                    "",
	`{"body":"\ud83d\ucs80"}`:                                   "", // a lenient decoder reads \udc80
	`{"body":"\`:                                                "",
	`{"body":"x`:                                                "",
	"{\"body\":\"x\ny\"}":                                       "",
	"{\"body\":\"\xff\"}":                                       "",
	"{\"body\":\"x\",\"a\":\"\xff\"}":                           "",
	`{"body":"x"} 1`:                                            "",
	`{"body":"x"}}`:                                             "",
	`{"body":"x",}`:                                             "",
	`{"body":"x","a"}`:                                          "",
	`"x"`:                                                       "",
	`{}`:                                                        "",
	`{`:                                                         "",
	``:                                                          "",
	`{"body":"x","a":` + strings.Repeat(`{"a":`, 100_000):       "",
	`{"body":"x","a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`:                   "x",
	`{"body":"x","a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`:                   "",
	`{"body":"x","meta":{"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `}}`:          "x",
	`{"body":"x","meta":{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`:          "",
	`{"body":"x","meta":{"bind":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}}`:       "",
	`{"body":"x","` + strings.Repeat(`\u0062`, 1000) + `":{}}`:                                     "x",
	`{"body":"a","b\u006f\u0064\u0079":"b","\u0074imestamp":1,"\u006deta":{"\u0062\u0069nd":"a"}}`: "b",
}

func TestDecodeSealedBodyReadsPlaintexts(t *testing.T) {
	for plaintext, want := range plaintexts {
		var s sealedBody
		err := s.scan([]byte(plaintext))
		if err == nil && string(s.body) != want || (want == "") != (err == ErrPlaintext) {
			t.Errorf("%.80q: %q, %v", plaintext, s.body, err)
		}
		m, bind, err := DecodeSealedBody([]byte(plaintext), nil)
		if m != nil || !errors.Is(err, ErrMalformed) || (want == "") != errors.Is(err, ErrPlaintext) ||
			want == "" && bind != nil {
			t.Errorf("%.80q: %+v, bind %q, %v", plaintext, m, bind, err)
		}
	}
}

func TestDecodeSealedBodyReadsBind(t *testing.T) {
	const good, message = someBind, `{"body":"{\"id\":\"a\",\"type\":\"b\",\"ts\":\"` + timestamp + `\"}`
	for end, want := range map[string]string{
		`"}`:                           "none",
		`","timestamp":1}`:             "none",
		`","timestamp":1,"meta":null}`: "none",
		`","timestamp":1,"meta":{}}`:   "none",
		`","timestamp":1,"meta":{"x":{"bind":"` + good + `"}}}`:                          "none",
		`","bind":"` + good + `"}`:                                                       "none",
		`","timestamp":1,"meta":{"bind":"` + good + `"}}`:                                good,
		`","meta":{"bind":"` + good + `"},"timestamp":1}`:                                good,
		`","timestamp":1, "meta":{"a":1,"bind":"` + good + `","b":[]}}`:                  good,
		`","timestamp":1,"meta":{"bind":"\u0041` + good[1:] + `"}}`:                      good,
		`","timestamp":1,"m\u0065ta":{"b\u0069nd":"` + good + `"}}`:                      good,
		`","timestamp":1,"meta":{"bind":"` + good[1:] + `"}}`:                            good[1:],
		`","timestamp":1,"meta":{"bind":""}}`:                                            "",
		`","timestamp":1,"meta":{"bind":7}}`:                                             "",
		`","timestamp":1,"meta":{"bind":null}}`:                                          "",
		`","timestamp":1,"meta":{"bind":"` + good + `","bind":"` + good + `"}}`:          "",
		`","timestamp":1,"meta":{"bind":"` + good + `"},"meta":{"bind":"` + good + `"}}`: "",
		`","timestamp":1,"meta":{"bind":7},"meta":{"bind":"` + good + `"}}`:              "",
		`","timestamp":1,"meta":{"bind":"` + good + `"},"meta":{"a":1}}`:                 good,
	} {
		m, got, err := DecodeSealedBody([]byte(message+end), nil)
		if err != nil || m.ID != "a" {
			t.Errorf("%s: %+v, %v", end, m, err)
		}
		if is := string(got); got == nil && want != "none" || got != nil && is != want {
			t.Errorf("%s: bind %q, want %q", end, got, want)
		}
		m, again, err := DecodeSealedBody([]byte(`{"body":"x`+end), nil)
		if m != nil || !errors.Is(err, ErrMalformed) || errors.Is(err, ErrPlaintext) || !bytes.Equal(again, got) {
			t.Errorf("%s after a body that is not a message: bind %q, %v", end, again, err)
		}
	}
}

func TestDecodeSealedBodyHintsTheID(t *testing.T) {
	data, err := message256().AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var ids expected
	m, _, err := DecodeSealedBody(seal(data), &ids)
	if err != nil || !sameMessage(m, message256()) || !slices.Equal(ids, expected{m.ID}) {
		t.Errorf("got %+v, %v, hinted %q", m, err, ids)
	}
}

// expected records the hinted ids.
type expected []string

func (e *expected) Expect(id []byte) { *e = append(*e, string(id)) }

func TestDecodeSealedBodyAllocatesThreeTimes(t *testing.T) {
	data, err := message256().AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	plaintext := seal(data)
	room := make([]byte, 0, 2*len(plaintext))
	got := testing.AllocsPerRun(200, func() {
		if _, _, err := DecodeSealedBody(append(room, plaintext...), nil); err != nil {
			t.Fatal(err)
		}
	})
	if got > 3 {
		t.Errorf("%v allocations, want 3", got)
	}
}

func TestCheckContainerHeaderRefusesCompression(t *testing.T) {
	for head, want := range map[string]error{
		`{"algorithm":"chacha20poly1305","version":"1.0"}`: nil,
		`{}`:                                nil,
		` { "hint" : [1,{"a":null}] } `:     nil,
		`{"compression2":1,"Format":"v2"}`:  nil,
		`{"nested":{"compression":"gzip"}}`: nil,
		`{"algorithm":"other"}`:             nil, // the tag decides
		``:                                  errHeader,
		`null`:                              errHeader,
		`[]`:                                errHeader,
		`{}{}`:                              errHeader,
		`{"a":1,}`:                          errHeader,
		`{"a":"` + "\xff" + `"}`:            errHeader,
		`{"checksum":"0","checksum_algo":"sha256"}`: errHeader,
		`{"a":0,"checksum_algo":"sha256"}`:          errHeader,
		`{"compression":""}`:                        errCompressed,
		`{"compression":null}`:                      errCompressed,
		`{"compress\u0069on":"gzip"}`:               errCompressed,
		`{"format":"v2"}`:                           errCompressed,
		`{"a":1,"format":1`:                         errCompressed,
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: errHeader,
		`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: nil,
	} {
		if err := CheckContainerHeader([]byte(head)); err != want || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("header %.80q: %v, want %v", head, err, want)
		}
	}
	escaped := strings.NewReplacer(
		"c", `\u0063`, "h", `\u0068`, "e", `\u0065`, "k", `\u006b`, "s", `\u0073`, "u", `\u0075`,
		"m", `\u006d`, "_", `\u005f`, "a", `\u0061`, "l", `\u006c`, "g", `\u0067`, "o", `\u006f`).Replace("checksum_algo")
	if err := CheckContainerHeader([]byte(`{"` + escaped + `":1}`)); err != errHeader {
		t.Errorf("the longest key, escaped: %v", err)
	}
	head := []byte(`{"a":[1,{"b":"\u0041"}],"b\u0063":null}`)
	if n := testing.AllocsPerRun(100, func() { _ = CheckContainerHeader(head) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
