package supervisor

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

func TestSessionModesHaveNames(t *testing.T) {
	for name, want := range map[string]SessionMode{
		"off": SessionOff, "prefer": SessionPrefer, "pin": SessionPin, "require": SessionRequire,
	} {
		if got, err := ParseSessionMode(name); err != nil || got != want || got.String() != name {
			t.Errorf("%s: %v (%v), %v", name, got, got.String(), err)
		}
	}
	for _, name := range []string{"", "on", "Pin", "invalid"} {
		if got, err := ParseSessionMode(name); err == nil {
			t.Errorf("%q: %v, want an error", name, got)
		}
	}
	for _, mode := range []SessionMode{-1, 4} {
		if mode.valid() || mode.String() != "invalid" {
			t.Errorf("%d: %v, %s", int(mode), mode.valid(), mode)
		}
	}
	if (TransportConfig{}).withDefaults().Session != SessionPin {
		t.Error("the zero value is not SessionPin")
	}
}

func TestSessionPolicyFollowsTheMode(t *testing.T) {
	for _, c := range []struct {
		mode SessionMode
		pq   bool
		want actors.SessionPolicy
	}{
		{SessionOff, false, actors.SessionPolicy{}},
		{SessionOff, true, actors.SessionPolicy{}},
		{SessionPrefer, false, actors.SessionPolicy{Offer: true}},
		{SessionPrefer, true, actors.SessionPolicy{Offer: true, KEM: true}},
		{SessionPin, false, actors.SessionPolicy{Offer: true}},
		{SessionPin, true, actors.SessionPolicy{Offer: true, KEM: true}},
		{SessionRequire, true, actors.SessionPolicy{Offer: true, KEM: true}},
	} {
		cfg := TransportConfig{Session: c.mode, SessionPQ: c.pq}.withDefaults()
		if got := cfg.limits().Session; got != c.want {
			t.Errorf("%s, %v: %+v, want %+v", c.mode, c.pq, got, c.want)
		}
	}
}

// Only a connection that this node dialled to a pinned peer, without a session although it offered one, is held.
func TestHoldNeedsADialToAPinnedPeerWithoutASession(t *testing.T) {
	for _, mode := range []SessionMode{SessionOff, SessionPrefer, SessionPin, SessionRequire} {
		for bits := range 8 {
			outbound, session, pinned := bits&1 != 0, bits&2 != 0, bits&4 != 0
			want := mode == SessionPin && outbound && !session && pinned
			if got := mode.holds(outbound, session, pinned); got != want {
				t.Errorf("%s, outbound %v, session %v, pinned %v: %v, want %v", mode, outbound, session, pinned, got, want)
			}
		}
		if got, want := mode.pins(), mode == SessionPin || mode == SessionRequire; got != want {
			t.Errorf("%s pins: %v, want %v", mode, got, want)
		}
	}
}

// A running node that begins to require sessions closes its connections without one, and refuses them in either
// direction. A peer that is dialled again gets the reason.
func TestRequireClosesConnectionsWithoutASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1)
		b, c := startNode(t, n, 2, sessionsOff), startNode(t, n, 3, sessionsOff)
		a.dial(b)
		c.dial(a)
		a.reconfigured(func(cfg *TransportConfig) { cfg.Session = SessionRequire }, "Session", "")
		time.Sleep(2 * time.Second)
		a.wantSlots(0, 0)
		for _, other := range []*testNode{b, c} {
			if down := eventsOf[PeerDown](other); len(down) != 1 || down[0].Reason != "session required" || !down[0].Remote {
				t.Errorf("down %+v", down)
			}
		}
		if _, err := a.Connect(&Peer{Address: b.addr}); !errors.Is(err, ErrSessionRequired) {
			t.Errorf("a dials: %v, want ErrSessionRequired", err)
		}
		if _, err := c.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrRefused) ||
			!strings.Contains(err.Error(), `"session required"`) {
			t.Errorf("c dials: %v, want a refusal with its reason", err)
		}
		a.wantCount(actors.HandshakesRejected, 2)
	})
}
