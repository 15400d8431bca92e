package smsg

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

func TestSealAndOpenAllocateNothing(t *testing.T) {
	key := mustKey(t)
	accept := func([]byte) error { return nil }
	sealer, opener := mustSealer(t, key), key.NewOpener(accept)
	plaintext := bytes.Repeat([]byte(`{"id":"6f0c"}`), 100)
	room, frame := make([]byte, 0, 4096), make([]byte, 0, 4096)
	ours := sealer.Seal(nil, plaintext)
	hinted := sealRaw(key, `{"hint":[{"a":"b\n"}]}`, plaintext, [nonceLen]byte{9})
	var err, forgedErr error
	for name, run := range map[string]func(){
		"Seal":          func() { sealer.Seal(room, plaintext) },
		"Seal in place": func() { sealer.Seal(room, room[Headroom:Headroom+1000]) },
		"Open":          func() { _, err = opener.Open(append(frame, ours...)) },
		"Open, another prefix each time": func() {
			opener.prefix[0]++
			_, err = opener.Open(append(frame, hinted...))
		},
		"Open, forged": func() { _, forgedErr = opener.Open(append(frame, ours[:len(ours)-1]...)) },
	} {
		if n := testing.AllocsPerRun(100, run); n > cipherAllocations {
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

// TestOpenRefusesBombsWithoutMemory requires less than 4 KiB of allocations for each refused frame of the vectors.
func TestOpenRefusesBombsWithoutMemory(t *testing.T) {
	var refused []frameVector
	readVectors(t, "refused-frames.json", &refused)
	opener := mustKey(t).NewOpener(func([]byte) error { return errTestHeader })
	for _, v := range refused {
		took := uint64(math.MaxUint64)
		for range 3 { // the minimum excludes allocations of the runtime
			frame := slices.Clone(v.Frame)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = opener.Open(frame) // TestOpenRefusesTheVectors checks the error
			runtime.ReadMemStats(&after)
			took = min(took, after.TotalAlloc-before.TotalAlloc)
		}
		if took > 4<<10 {
			t.Errorf("%s: %d bytes allocated", v.Name, took)
		}
	}
}

// BenchmarkFrame compares with the reference library, for plaintexts with a body of the given size in bytes. Deployed
// nodes use random nonces.
func BenchmarkFrame(b *testing.B) {
	for _, size := range []int{80, 256, 1 << 10, 16 << 10} {
		key, secret := mustKey(b), password(b)
		sealer, opener := mustSealer(b, key), key.NewOpener(nil)
		body := strings.Repeat("x", size)
		plaintext := sealedText(b, body, 1773234159)
		frame := sealer.Seal(nil, plaintext)
		theirs, err := smsg.Encrypt(smsg.NewMessage(body), secret)
		if err != nil {
			b.Fatal(err)
		}
		buffer := make([]byte, 0, 2*max(len(frame), len(theirs)))
		inPlace := append(make([]byte, Headroom, 2*len(frame)), plaintext...)
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
		bench("seal", func() error { sealer.Seal(inPlace[:0], inPlace[Headroom:]); return nil })
		bench("seal/reference", func() error { _, err := smsg.Encrypt(smsg.NewMessage(body), secret); return err })
		bench("open", func() error { _, err := opener.Open(append(buffer, frame...)); return err })
		bench("open/random nonces", func() error {
			opener.prefix[0]++
			_, err := opener.Open(append(buffer, theirs...))
			return err
		})
		bench("open/reference", func() error { _, err := smsg.Decrypt(frame, secret); return err })
	}
}
