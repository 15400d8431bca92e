package actors

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// A frame is stamped with the second of its turn, however long ago the last one was.
func TestFramesAreStampedNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openProven()
		codec, err := crypto.NewCodec(r.secretWith(p.keys))
		if err != nil {
			t.Fatal(err)
		}
		for _, pause := range []time.Duration{0, 999 * time.Millisecond, time.Second, 20 * time.Second} {
			time.Sleep(pause)
			if err := r.post(fmt.Sprint(pause), 10); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			p.mu.Lock()
			last := p.recorded[len(p.recorded)-1]
			p.mu.Unlock()
			plaintext, err := codec.NewOpener().Decrypt(last)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf(`"timestamp":%d,"meta":`, time.Now().Unix()); !strings.Contains(string(plaintext), want) {
				t.Errorf("after %v: %s, want %s at the end", pause, plaintext, want)
			}
		}
	})
}
