package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// Each message of the peer is delivered or counted, if it is read after our disconnect message.
func TestMessagesAfterCloseBeganAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openBound("single-connection", "rate/100/50")
		for range 30 {
			p.send("stats", nil)
		}
		synctest.Wait()
		r.Stall(sockettest.HereIP, sockettest.ThereIP) // the peer does not read our disconnect, so it continues to send
		r.slot.handle.Close(wire.DisconnectNormal, "enough")
		synctest.Wait()
		for range 40 {
			p.send("stats", nil)
		}
		synctest.Wait()
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 40})
		if n := len(r.delivered("stats")); n != 30 {
			t.Errorf("%d delivered, want the 30 before the disconnect", n)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		if payload, _ := p.lastMessage(); payload.Reason != "enough" {
			t.Errorf("disconnect %+v", payload)
		}
		time.Sleep(6 * time.Second) // the linger
		if !r.stopped() {
			t.Error("the connection stands")
		}
	})
}
