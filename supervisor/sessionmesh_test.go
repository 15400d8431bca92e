package supervisor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

func allSessionModes() []SessionMode {
	return []SessionMode{SessionOff, SessionPrefer, SessionPin, SessionRequire}
}

// inMode makes a node start in a session mode.
func inMode(mode SessionMode) func(*nodeSetup) {
	return func(s *nodeSetup) { s.cfg.Session = mode }
}

// wantPair returns the result of a dial from a node in mode a to one in mode b: the format, or the error.
func wantPair(a, b SessionMode) (session bool, err error) {
	switch {
	case a != SessionOff && b != SessionOff:
		return true, nil
	case a == SessionRequire:
		return false, ErrSessionRequired
	case b == SessionRequire:
		return false, ErrRefused
	default:
		return false, nil
	}
}

// Two nodes in each pair of modes: the dialler gets a session, an SMSG connection, or a refusal with its reason. Both
// nodes pin the other exactly if they have spoken in a session and their mode pins.
func TestEachPairOfModesConnectsAsStated(t *testing.T) {
	for _, dialler := range allSessionModes() {
		for _, other := range allSessionModes() {
			t.Run(fmt.Sprint(dialler, " dials ", other), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { connectPair(t, dialler, other) })
			})
		}
	}
}

func connectPair(t *testing.T, dialler, other SessionMode) {
	n := memnet.New(1)
	a, b := startNode(t, n, 1, inMode(dialler)), startNode(t, n, 2, inMode(other))
	session, want := wantPair(dialler, other)
	c, err := a.Connect(&Peer{Address: b.addr})
	if !errors.Is(err, want) {
		t.Fatalf("Connect: %v, want %v", err, want)
	}
	if want != nil {
		if errors.Is(want, ErrRefused) && !strings.Contains(err.Error(), `"session required"`) {
			t.Errorf("Connect: %v, want the reason", err)
		}
		time.Sleep(10 * time.Second)
		a.wantSlots(0, 0)
		b.wantSlots(0, 0)
		refused := append(eventsOf[PeerRefused](a), eventsOf[PeerRefused](b)...)
		if len(refused) != 1 || refused[0].Reason != "session required" || len(a.seen())+len(b.seen()) != 1 {
			t.Errorf("events %+v and %+v, want one refusal", a.seen(), b.seen())
		}
		if a.book.Len()+b.book.Len() != 0 {
			t.Errorf("the books have %d and %d peers", a.book.Len(), b.book.Len())
		}
		return
	}
	if c.Format().Session != session {
		t.Errorf("format %v, want a session: %v", c.Format(), session)
	}
	for _, node := range []*testNode{a, b} {
		peer := map[*testNode]*testNode{a: b, b: a}[node]
		if err := node.Send(peer.id(), node.to(peer.id(), "chat", nil)); err != nil {
			t.Error(err)
		}
		if got := len(peer.got("chat")); got != 1 {
			t.Errorf("%d messages arrived, want 1", got)
		}
		mode := map[*testNode]SessionMode{a: dialler, b: other}[node]
		if known, _ := node.book.Get(peer.id()); known.Session != (session && mode.pins()) || !known.Binds {
			t.Errorf("mode %s: the book has %+v", mode, known)
		}
		if up := eventsOf[PeerUp](node); len(up) != 1 || up[0].Format.Session != session {
			t.Errorf("events %+v", up)
		}
		peers, err := node.Peers(t.Context())
		if err != nil || len(peers) != 1 || peers[0].Format.Session != session ||
			peers[0].Pinned != (session && mode.pins()) || peers[0].Connections[0].Format.Session != session {
			t.Errorf("peers %+v, %v", peers, err)
		}
	}
}
