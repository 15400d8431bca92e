package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestMarshalJSONMatchesEncodingJSON(t *testing.T) {
	tests := map[string]struct {
		v    any
		want string
	}{
		"nil":        {nil, `null`},
		"HTML":       {"<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		"newline":    {"a\n", `"a\n"`},
		"ping":       {PingPayload{5}, `{"sentAt":5}`},
		"pong":       {PongPayload{5, 6}, `{"sentAt":5,"receivedAt":6}`},
		"confirm":    {ConfirmPing{PingPayload{5}, []string{"a", "b"}}, `{"sentAt":5,"confirm":["a","b"]}`},
		"no confirm": {ConfirmPong{PongPayload{5, 6}, nil}, `{"sentAt":5,"receivedAt":6}`},
		"confirmed": {
			ConfirmPong{PongPayload{5, 6}, map[string]Receipt{"b": ReceiptOK, "a": ReceiptStale}},
			`{"sentAt":5,"receivedAt":6,"confirmed":{"a":"stale","b":"ok"}}`,
		},
		"disconnect":  {DisconnectPayload{"bye", DisconnectShutdown}, `{"reason":"bye","code":1004}`},
		"error":       {ErrorPayload{ErrCodeNotFound, "no", ""}, `{"code":1003,"message":"no"}`},
		"compact":     {json.RawMessage(`{"a b":[1,"c d"]}`), `{"a b":[1,"c d"]}`},
		"one space":   {json.RawMessage(`[1, 2]`), `[1,2]`},
		"only a tab":  {json.RawMessage("{\"a\":\t1}"), `{"a":1}`},
		"new lines":   {json.RawMessage("[\n1\r]"), `[1]`},
		"not compact": {json.RawMessage("[1,\t{} ,\r\n\" \"]"), `[1,{}," "]`},
		"error, full": {ErrorPayload{ErrCodeTimeout, "no", "why"}, `{"code":1005,"message":"no","details":"why"}`},
	}
	for name, tt := range tests {
		if got, err := MarshalJSON(tt.v); err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
		if same, err := byEncodingJSON(tt.v); err != nil || string(same) != tt.want {
			t.Errorf("%s: encoding/json writes %s, %v", name, same, err)
		}
	}
}

// TestMarshalJSONRecoversFromErrors requires that an error leaves no data in the pooled encoder.
func TestMarshalJSONRecoversFromErrors(t *testing.T) {
	for range 100 {
		if _, err := MarshalJSON([]any{"half", make(chan int)}); err == nil {
			t.Fatal("a channel became JSON")
		}
		if got, err := MarshalJSON(1); err != nil || string(got) != "1" {
			t.Fatalf("got %s, %v", got, err)
		}
	}
}

// TestMarshalJSONResultsStayUnchanged requires that results do not change while other goroutines use the same buffers.
func TestMarshalJSONResultsStayUnchanged(t *testing.T) {
	const workers, rounds = 8, 200
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			kept := make([][]byte, rounds)
			value := func(i int) string { return strings.Repeat(fmt.Sprint(w, ".", i, " "), 1+i%50) }
			for i := range rounds {
				var err error
				if kept[i], err = MarshalJSON([]string{value(i)}); err != nil {
					t.Error(err)
				}
			}
			for i, got := range kept {
				if want := `["` + value(i) + `"]`; string(got) != want {
					t.Errorf("worker %d, result %d: got %s, want %s", w, i, got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestMarshalJSONDiscardsLargeBuffers(t *testing.T) {
	if e := encoders.New().(*encoder); e.buf.Cap() != firstBuffer {
		t.Errorf("a new buffer has %d bytes, want %d", e.buf.Cap(), firstBuffer)
	}
	large := bytes.Repeat([]byte("x"), 2*largestBuffer)
	for range 10 {
		if _, err := MarshalJSON([]string{string(large)}); err != nil {
			t.Fatal(err)
		}
	}
	// The pool must contain no large buffer.
	for range 100 {
		if e := encoders.Get().(*encoder); e.buf.Cap() > largestBuffer {
			t.Fatalf("a buffer of %d bytes was kept", e.buf.Cap())
		}
	}
}

// FuzzMarshalRaw requires the output and errors of encoding/json for a json.RawMessage, and that the result is a copy.
func FuzzMarshalRaw(f *testing.F) {
	for _, raw := range []string{
		`{"a b":[1,"c\" d"]}`, ` 1`, `1 `, "[1,\n2]", `"\u2028<` + "\u2028\xff" + `"`, ``, `1 2`, `{"a":}`,
		`"` + strings.Repeat(`x\\ `, 30) + `"`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		want, wantErr := byEncodingJSON(json.RawMessage(raw))
		input := bytes.Clone(raw)
		got, err := MarshalJSON(json.RawMessage(input))
		clear(input)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Fatalf("%q: got %s, %v, encoding/json writes %s, %v", raw, got, err, want, wantErr)
		}
	})
}
