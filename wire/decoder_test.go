package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

// checkDecoder gives a text to Decoders as it comes out of a frame, and says whether its beginning was taken.
func checkDecoder(t *testing.T, data []byte) (begun bool) {
	t.Helper()
	want, wantErr := Decode(bytes.Clone(data))
	likely := []Decoder{{}, {From: "f", To: "t"}, {From: "t", To: "f"}}
	if wantErr == nil {
		likely = append(likely, Decoder{From: want.From, To: want.To}, Decoder{From: want.To, To: want.From})
	}
	for _, d := range likely {
		begun = checkDecoderAs(t, d, data, want, wantErr)
	}
	return begun
}

func checkDecoderAs(t *testing.T, d Decoder, data []byte, want *Message, wantErr error) (begun bool) {
	t.Helper()
	escaped := escapeText(nil, data)
	taken := d.Begin(escaped)
	if string(escapeText(nil, data[:d.before])) != string(escaped[:taken]) {
		t.Fatalf("%s\nBegin took %s, and says that it is %d bytes", escaped, escaped[:taken], d.before)
	}
	rest := bytes.Clone(data[d.before:])
	got, err := d.Decode(rest)
	clear(escaped)
	clear(rest)
	switch {
	case (err == nil) != (wantErr == nil), err != nil && (err.Error() != wantErr.Error() || !errors.Is(err, ErrMalformed)):
		t.Fatalf("%s\ngot  %v\nwant %v", data, err, wantErr)
	case err == nil && !sameMessage(got, want):
		t.Fatalf("%s\ngot  %+v\nwant %+v", data, got, want)
	}
	return taken > 0
}

// What nodes write is taken, whatever follows, and nothing else; messages and errors are the same.
func TestDecoder(t *testing.T) {
	const usual = `{"id":"a","type":"b","from":"f","to":"t","ts":"` + stamp + `",`
	for data, want := range map[string]bool{
		usual + `"payload":{"a":"\""}}`:                 true,
		usual + `"payload":null,"replyTo":"r"}`:         true,
		usual + `"replyTo":"r","x":[],"payload":[1] } `: true,
		usual + ` "id":"c","ts":null,"from":null}`:      true, // of a key that comes twice the last one counts
		usual + `"id":1}`:                               true,
		usual + `"payload":{"a":01}}`:                   true, // the error says where
		usual + `"payload":1}}`:                         true,
		usual + `}`:                                     true,
		usual:                                           true,
		`{"id":"","type":"","from":"","to":"","ts":"` + stamp + `","payload":1}`:                                 true,
		`{"id":"` + strings.Repeat("i", 65) + `","type":"b","from":"","to":"","ts":"` + stamp + `","payload":1}`: true,
		`{"id":"a","type":"b","from":"f","to":"t","ts":"` + stamp + `"}`:                                         false,
		`{"id":"a","type":"b","from":"f","to":"t","ts":"2026-03-11","payload":1}`:                                false,
		`{"id":"a","type":"b","from":"f","to":"é","ts":"` + stamp + `","payload":1}`:                             false,
		`{"id":"a","type":"b\n","from":"f","to":"t","ts":"` + stamp + `","payload":1}`:                           false,
		`{"id":"a","type":"\"","from":"f","to":"t","ts":"` + stamp + `","payload":1}`:                            false,
		`{ "id":"a","type":"b","from":"f","to":"t","ts":"` + stamp + `","payload":1}`:                            false,
		`{"type":"b","id":"a","from":"f","to":"t","ts":"` + stamp + `","payload":1}`:                             false,
		`{"id":"a","type":"b","from":"f","to":null,"ts":"` + stamp + `","payload":1}`:                            false,
		`{"id":"a","type":"b","from":"f","to":"t","replyTo":"r","ts":"` + stamp + `","payload":1}`:               false,
		``: false,
	} {
		if begun := checkDecoder(t, []byte(data)); begun != want {
			t.Errorf("%s: begun: %v, want %v", data, begun, want)
		}
	}
	for name, data := range frameSeeds(t) {
		checkDecoder(t, data)
		for end := range data { // and wherever it is cut off
			if begun := checkDecoder(t, data[:end]); begun && end < bytes.Index(data, []byte(`"payload"`)) {
				t.Errorf("%s: began at the first %d bytes", name, end)
			}
		}
	}
}

// What from and to are likely to be is not copied when they are.
func TestDecoderTakesWhatIsLikely(t *testing.T) {
	data, err := message256().AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, to := strings.Clone(message256().From), strings.Clone(message256().To)
	same := func(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }
	for _, d := range []Decoder{{From: from, To: to}, {From: to, To: from}} {
		m, err := d.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if want := d.From == from; same(m.From, from) != want || same(m.To, to) != want {
			t.Errorf("with %q and %q as likely the message's own are the same memory: %v and %v", d.From, d.To, same(m.From, from), same(m.To, to))
		}
	}
}

func TestDecoderAllocations(t *testing.T) {
	data, err := message256().AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	escaped := escapeText(nil, data)
	got := testing.AllocsPerRun(200, func() {
		var d Decoder
		if d.Begin(escaped) == 0 {
			t.Fatal("it does not begin")
		}
		if _, err := d.Decode(data[d.before:]); err != nil {
			t.Fatal(err)
		}
	})
	if got > 3 {
		t.Errorf("%v allocations, want 3", got)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, data := range frameSeeds(f) {
		f.Add(data)
	}
	const usual = `{"id":"a","type":"b","from":"f","to":"t","ts":"` + stamp + `",`
	for _, rest := range []string{`"payload":{"a":[1,"\""]},"replyTo":"r"}`, ` "id":"c","ts":null}`, `"payload":01}`, `}`} {
		f.Add([]byte(usual + rest))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if utf8.Valid(data) && !slices.Contains([]rune(string(data)), utf8.RuneError) {
			checkDecoder(t, data)
		}
	})
}
