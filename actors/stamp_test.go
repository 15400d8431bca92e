package actors

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto/smsg"
)

func TestFramesCarryTheSecondOfTheirMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		key, err := smsg.NewKey(r.secretWith(p.keys))
		if err != nil {
			t.Fatal(err)
		}
		for _, age := range []time.Duration{0, time.Second, 20 * time.Second} {
			msg := p.message("stats", 0)
			time.Sleep(age)
			if err := r.slot.handle.Post(msg); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			p.mu.Lock()
			last := p.recorded[len(p.recorded)-1]
			p.mu.Unlock()
			plaintext, err := key.NewOpener(nil).Open(last)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf(`"timestamp":%d,"meta":`, msg.Timestamp.Unix()); !strings.Contains(string(plaintext), want) {
				t.Errorf("after %v: %s, want %s at the end", age, plaintext, want)
			}
		}
	})
}
