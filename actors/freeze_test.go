package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

const ms = time.Millisecond

// newFrozenRig returns a rig whose process can stand still: no data of the peer arrives and the pulse stops, while the
// timers continue, as after SIGCONT.
func newFrozenRig(t *testing.T, adjust ...func(*Limits)) (r *rig, standStill func(time.Duration)) {
	t.Helper()
	r = newRig(t, adjust...)
	r.node.Running = &runclock.Clock{}
	r.node.Running.Start()
	t.Cleanup(r.node.Running.Stop)
	return r, func(d time.Duration) {
		time.Sleep(ms) // not together with a pulse
		r.Stall(sockettest.ThereIP, sockettest.HereIP)
		resume := runclock.FreezeForTest(r.node.Running)
		time.Sleep(d)
		resume()
		r.Resume(sockettest.ThereIP, sockettest.HereIP)
	}
}

func TestStandstillIsNoSilence(t *testing.T) {
	for _, before := range []time.Duration{0, 20 * time.Second, 39*time.Second + 800*ms} {
		t.Run(before.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, standStill := newFrozenRig(t)
				p := r.openVerified()
				p.setMute(true)
				synctest.Wait()
				time.Sleep(before)
				go func() { time.Sleep(2 * time.Minute); p.send("stats", nil) }()
				standStill(3 * time.Minute)
				time.Sleep(time.Second)
				if n := len(reportsOf[*Ended](r)); n != 0 {
					t.Fatalf("ended although a message waited: %+v", reportsOf[*Ended](r)[0].End)
				}
				// From here on the peer is dead, and is closed as usual.
				time.Sleep(40*time.Second - time.Second - 10*ms)
				if n := len(reportsOf[*Ended](r)); n != 0 {
					t.Fatalf("ended before the silence limit: %+v", reportsOf[*Ended](r)[0].End)
				}
				time.Sleep(300 * ms)
				if end := r.ended(); end.Code != wire.DisconnectTimeout {
					t.Errorf("ended by %+v", end)
				}
			})
		})
	}
}

func TestPingFollowsStandstillAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, standStill := newFrozenRig(t)
		p := r.openVerified()
		time.Sleep(30 * time.Second) // the first ping
		before := len(p.got(wire.MsgPing))
		standStill(29 * time.Second)
		if n := len(p.got(wire.MsgPing)) - before; n != 0 {
			t.Errorf("%d pings before they were due", n)
		}
		standStill(5 * time.Minute)
		time.Sleep(time.Second)
		if n := len(p.got(wire.MsgPing)) - before; n == 0 {
			t.Error("no ping after a standstill of 5 minutes")
		}
		if rtt := r.slot.handle.RoundTrip(); rtt > time.Second {
			t.Errorf("round trip %v: the standstill counts", rtt)
		}
	})
}

func TestStandstillResetsNoHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, standStill := newFrozenRig(t)
		p := r.connect()
		time.Sleep(9*time.Second + 800*ms) // of 10
		go func() { time.Sleep(5 * time.Second); p.shake() }()
		standStill(time.Minute)
		time.Sleep(time.Second)
		r.want(map[Counter]uint64{HandshakesAccepted: 1, HandshakesRejected: 0})
	})
}

func TestHandshakeTimeoutStandsAfterStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, standStill := newFrozenRig(t)
		r.connect()
		time.Sleep(4 * time.Second)
		standStill(time.Minute)
		time.Sleep(6*time.Second - 200*ms)
		r.want(map[Counter]uint64{HandshakesRejected: 0})
		time.Sleep(400 * ms)
		r.want(map[Counter]uint64{HandshakesRejected: 1})
	})
}

// A slow handler holds the read pump back. The frames of that time arrive in one burst and are all admitted.
func TestHeldBackPumpIsCredited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(l *Limits) { l.InboundBytes, l.RateBurst, l.RateRefill = 4000, 20, 10 })
		r.parent.tokens = 20
		release := make(chan struct{})
		p := r.openVerified()
		r.sink.hook = func(*wire.Message) { <-release }
		for range 200 { // 9 a second, where 10 are allowed
			p.send("stats", nil)
			time.Sleep(time.Second / 9)
		}
		close(release)
		time.Sleep(time.Second)
		if n := len(r.delivered("stats")); n != 200 {
			t.Errorf("%d of 200 delivered", n)
		}
		r.want(map[Counter]uint64{MessagesRateLimited: 0})
		for range 100 { // the credit was used; the rest is smaller than the flood
			p.send("stats", nil)
		}
		if n := len(r.delivered("stats")) - 200; n < 20 || n > 60 {
			t.Errorf("%d of a flood of 100 delivered afterwards, want the burst of 20 and a rest of the credit", n)
		}
		time.Sleep(time.Hour)
		before := len(r.delivered("stats"))
		for range 100 { // the held time is credited once
			p.send("stats", nil)
		}
		if n := len(r.delivered("stats")) - before; n != 20 {
			t.Errorf("%d of a flood of 100 delivered an hour later, want the burst of 20", n)
		}
	})
}
