package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

func TestClockSkewWithinLimitIsAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		for _, skew := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
			msg := p.message("stats", nil)
			msg.Timestamp = time.Now().Add(skew)
			p.sendFrame(p.frame(msg))
		}
		if n := len(r.delivered("stats")); n != 2 {
			t.Errorf("%d of 2 at exactly the allowed skew delivered", n)
		}
		r.want(map[Counter]uint64{MessagesStale: 0})
	})
}

// A verified peer with a clock that is hours off gets its pongs, and its disconnect ends the connection; both count as
// stale.
func TestPingAndDisconnectWorkAcrossAnySkew(t *testing.T) {
	for _, skew := range []time.Duration{-200 * 24 * time.Hour, 6 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			p := r.openVerified()
			off := func(kind wire.MessageType, payload any) *wire.Message {
				msg := p.message(kind, payload)
				msg.Timestamp = msg.Timestamp.Add(skew)
				p.sendFrame(p.frame(msg))
				return msg
			}
			ping := off(wire.MsgPing, wire.PingPayload{})
			if pongs := p.got(wire.MsgPong); len(pongs) != 1 || pongs[0].ReplyTo != ping.ID {
				t.Errorf("%v: %d pongs", skew, len(pongs))
			}
			off(wire.MsgDisconnect, wire.DisconnectPayload{Code: wire.DisconnectNormal, Reason: "enough"})
			synctest.Wait()
			if end := r.ended(); end.Code != wire.DisconnectNormal || end.Reason != "enough" || !end.Remote {
				t.Errorf("%v: ended with %+v", skew, end)
			}
			r.want(map[Counter]uint64{MessagesStale: 2})
		})
	}
}
