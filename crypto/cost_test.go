package crypto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/Borg/pkg/smsg"
)

func TestAllocations(t *testing.T) {
	codec := mustCodec(t)
	sealer, opener := mustSealer(t, codec), codec.NewOpener()
	body := bytes.Repeat([]byte(`{"id":"6f0c"}`), 100)
	escaped := EscapeBody(nil, body)
	room, frame := make([]byte, 0, 4096), make([]byte, 0, 4096)
	ours := sealer.Seal(nil, escaped, 1)
	hinted := sealRaw(codec, `{"hint":[{"a":"b\n"}]}`, []byte(`{"meta":{"a":[1,true]},"body":"a\n","timestamp":1}`), [nonceLen]byte{9})
	var err, forgedErr error
	for name, run := range map[string]func(){
		"EscapeBody": func() { EscapeBody(room, body) },
		"Seal":       func() { sealer.Seal(room, escaped, 1773234159) },
		"Open":       func() { _, err = opener.Open(append(frame, ours...)) },
		"Open, another prefix each time": func() {
			opener.prefix[0]++
			_, err = opener.Open(append(frame, hinted...))
		},
		"Open, forged": func() { _, forgedErr = opener.Open(append(frame, ours[:len(ours)-1]...)) },
	} {
		most := float64(cipherAllocations)
		if name == "EscapeBody" {
			most = 0
		}
		if n := testing.AllocsPerRun(100, run); n > most {
			t.Errorf("%s: %v allocations", name, n)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !errors.Is(forgedErr, ErrAuthentication) {
		t.Error(forgedErr)
	}
}

// Whatever a frame claims, opening it takes no memory.
func TestBombsTakeNoMemory(t *testing.T) {
	codec := mustCodec(t)
	var refused []frameVector
	readVectors(t, "refused-frames.json", &refused)
	nested := `{"body":"x","a":` + strings.Repeat("[", 1<<20)
	many := `{"body":"x"` + strings.Repeat(`,"a":{}`, 1<<17) + `}`
	for _, plaintext := range []string{nested, many} {
		refused = append(refused, frameVector{Name: plaintext[:20], Frame: sealRaw(codec, header, []byte(plaintext), [nonceLen]byte{})})
	}
	opener := codec.NewOpener()
	for _, v := range refused {
		took := uint64(math.MaxUint64)
		for range 3 { // the runtime allocates, too, but not each time
			frame := slices.Clone(v.Frame)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = opener.Open(frame) // the vectors' test looks at the error
			runtime.ReadMemStats(&after)
			took = min(took, after.TotalAlloc-before.TotalAlloc)
		}
		if took > 4<<10 {
			t.Errorf("%s: %d bytes allocated", v.Name, took)
		}
	}
}

// envelope is JSON of exactly size bytes, 80 at least, with as many quotes as a message has.
func envelope(size int) []byte {
	text := []byte(`{"id":"6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01","type":"stats",`)
	for i := 0; size-len(text) > 64; i++ {
		text = fmt.Appendf(text, `"member%d":"8dffda5ff32ade93902da","rate":%d.5,`, i, 977*i)
	}
	text = append(text, `"n":`...)
	return append(append(text, bytes.Repeat([]byte("7"), size-len(text)-1)...), '}')
}

// textEnvelope is a message whose payload is a text of size bytes without anything to escape.
func textEnvelope(size int) []byte {
	const head = `{"id":"6f0c0f0e-3b0a-4a55-9f0e-0c1b7f9f2a01","type":"chat","from":"6b4c195b5338ff84876cc6de1b1118bf",` +
		`"to":"8dffda5ff32ade93902da91128a56961","ts":"2026-03-11T13:02:39.123456789Z","payload":"`
	return append(append([]byte(head), bytes.Repeat([]byte("x"), size)...), `"}`...)
}

// BenchmarkFrame compares with the reference library. Bodies are JSON of the given
// size with many quotes, random nonces are what deployed nodes send.
func BenchmarkFrame(b *testing.B) { benchmarkFrame(b, envelope) }

// BenchmarkFrameOfText is BenchmarkFrame for payloads that are a text of the given size.
func BenchmarkFrameOfText(b *testing.B) { benchmarkFrame(b, textEnvelope) }

func benchmarkFrame(b *testing.B, makeBody func(size int) []byte) {
	for _, size := range []int{80, 256, 1 << 10, 16 << 10} {
		codec, secret := mustCodec(b), password(b)
		sealer, opener := mustSealer(b, codec), codec.NewOpener()
		body := makeBody(size)
		escaped := EscapeBody(nil, body)
		frame := sealer.Seal(nil, escaped, 1773234159)
		theirs, err := smsg.Encrypt(smsg.NewMessage(string(body)), secret)
		if err != nil {
			b.Fatal(err)
		}
		plaintext := fmt.Appendf(nil, "%s%s%s1773234159}", plaintextHead, escaped, plaintextMid)
		buffer := make([]byte, 0, 2*max(len(frame), len(theirs)))
		bench := func(name string, run func() error) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		bench("escape", func() error { EscapeBody(buffer, body); return nil })
		bench("parse", func() error { _, _, _, err := Plaintext(append(buffer, plaintext...)).Body(0); return err })
		bench("seal", func() error { sealer.Seal(buffer, escaped, 1773234159); return nil })
		bench("seal/reference", func() error { _, err := smsg.Encrypt(smsg.NewMessage(string(body)), secret); return err })
		bench("open", func() error { _, err := opener.Open(append(buffer, frame...)); return err })
		bench("open/random nonces", func() error {
			opener.prefix[0]++
			_, err := opener.Open(append(buffer, theirs...))
			return err
		})
		bench("open/reference", func() error { _, err := smsg.Decrypt(frame, secret); return err })
	}
}
