package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// dialHeld makes the node dial a silent peer, and returns the peer once the held connection is open.
func (r *rig) dialHeld(features ...string) (p *remote) {
	r.parent.hold = true
	r.awaitDial(func(other *remote, hello wire.HandshakePayload) {
		other.mute = true
		other.ackWith(hello, features...)
		p = other
	})
	r.dialHere("")
	synctest.Wait()
	return p
}

// The ack of a held peer is no proof. Its first frame is one: a bound one, or a fresh unmarked one of a peer that need
// not bind.
func TestHoldWaitsForAFrame(t *testing.T) {
	for name, c := range map[string]struct {
		features []string
		bound    bool
		by       time.Duration // the timestamp differs from the clock
		want     []Strength
		foreign  int // reports
	}{
		"bound":                             {[]string{modern}, true, 0, []Strength{Bound}, 0},
		"bound, its clock is off":           {[]string{modern}, true, -time.Hour, []Strength{Bound}, 0},
		"bound, announces nothing":          {nil, true, 0, []Strength{Bound}, 0},
		"unmarked":                          {nil, false, 0, []Strength{Unmarked}, 0},
		"unmarked and stale":                {nil, false, -time.Hour, nil, 0},
		"unmarked, announces that it binds": {[]string{modern}, false, 0, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.dialHeld(c.features...)
				ack := map[bool]Strength{true: Claimed, false: Unmarked}[len(c.features) > 0]
				if got := reportsOf[*Identified](r); len(got) != 1 || got[0].Strength != ack || len(r.strengths()) != 0 {
					t.Fatalf("identified %+v, proofs %v", got, r.strengths())
				}
				if c.bound {
					p.bind(p.ownBind)
				}
				p.sendFrame(p.frame(p.off("stats", c.by)))
				if got := r.strengths(); !slices.Equal(got, c.want) || len(reportsOf[*Foreign](r)) != c.foreign {
					t.Errorf("proofs %v, %d foreign; want %v, %d", got, len(reportsOf[*Foreign](r)), c.want, c.foreign)
				}
			})
		})
	}
}

// A hold without a frame ends at PingInterval + PongTimeout, with and without features of the peer, with status 1002
// and without a disconnect. Our pings do not wait.
func TestHoldEndsInTime(t *testing.T) {
	for name, features := range map[string][]string{"announces a feature": {modern}, "announces nothing": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				p := r.dialHeld(features...)
				time.Sleep(40*time.Second - time.Nanosecond)
				if len(reportsOf[*Ended](r)) != 0 {
					t.Fatal("ended too soon")
				}
				time.Sleep(time.Nanosecond)
				if end := r.ended(); end.Code != wire.DisconnectProtocolErr || end.Reason != reasonUnverified {
					t.Errorf("ended with %+v", end)
				}
				p.pump.Wait()
				if status := websocket.CloseStatus(p.closed); status != websocket.StatusProtocolError {
					t.Errorf("closed with %v, want 1002", p.closed)
				}
				if pings := len(p.got(wire.MsgPing)); pings != 2 || len(p.heard) != pings {
					t.Errorf("%d pings among %d messages, want 2 of 2", pings, len(p.heard))
				}
				r.want(map[Counter]uint64{PeersTimedOut: 1})
			})
		})
	}
}
