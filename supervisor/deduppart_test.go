package supervisor

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Identities without end fill the set, each with a burst. Who was connected before them can send all that the limiter
// lets through, window after window; and the set stays within its limit.
func TestDedupSharesAreSetAside(t *testing.T) {
	cfg := DefaultTransportConfig()
	cfg.MaxConns, cfg.DedupTTL = 4, 10*time.Second
	limit, share := dedupSize(&cfg)
	now := dedupStart
	d, err := NewMessageDeduplicator(cfg.DedupTTL, limit, share, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	msg, identities, messages, refused := &wire.Message{Type: "chat"}, 0, 0, 0
	send := func(account actors.Deduplicator) actors.Verdict {
		messages++
		msg.ID, msg.Timestamp = fmt.Sprint(messages), now
		return account.Seen(msg, now)
	}
	burst := func() (full bool) {
		identities++
		id := fmt.Sprint("sybil", identities)
		account := d.For(id)
		defer d.Leave(id)
		for range 100 {
			full = send(account) == actors.Full
		}
		return full
	}
	honest := d.For("honest")
	for !burst() {
		if identities > 4*limit/100 {
			t.Fatal("the set does not fill: nothing is tested")
		}
	}
	for i := range 100 + 50*50 { // a burst, then five windows
		if i >= 100 {
			now = now.Add(20 * time.Millisecond)
		}
		d.Rotate(now)
		if i%10 == 0 {
			burst()
		}
		if send(honest) != actors.Fresh {
			refused++
		}
		if n := d.Len(); n > 2*limit {
			t.Fatalf("%d entries, limit %d", n, 2*limit)
		}
	}
	if refused > 0 {
		t.Errorf("%d messages of a peer within its rate refused", refused)
	}
}

// The same against a whole node: the honest peer's messages are handled, and its connection lives.
func TestIdentitiesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.RateRefill, s.cfg.DedupTTL = 2, 1, 2*time.Minute })
		honest := startNode(t, n, 2)
		honest.dial(node)
		host := n.Attach("10.0.0.66")
		for range 8 {
			sybilBurst(t, host, node)
		}
		if node.count(actors.MessagesRefused) == 0 {
			t.Fatal("the set is not full: nothing is tested")
		}
		for range 50 {
			if err := honest.Send(node.id(), honest.to(node.id(), "chat", "x")); err != nil {
				t.Error(err)
			}
		}
		if got := len(node.got("chat")); got < 50 {
			t.Errorf("%d of 50 messages handled", got)
		}
		time.Sleep(3 * time.Minute)
		for _, down := range eventsOf[PeerDown](node) {
			if down.Peer == honest.id() {
				t.Errorf("the honest peer's connection ended: %+v", down)
			}
		}
	})
}

// sybilBurst is one identity that connects, sends nearly a burst, and goes.
func sybilBurst(t *testing.T, host *memnet.Host, node *testNode) {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager("sybil", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultTransportConfig()
	cfg.ListenAddr = ""
	sybil, err := NewTransport(keys, NewPeerRegistry(), cfg, WithDialer(host.DialContext))
	if err != nil {
		t.Fatal(err)
	}
	if err := sybil.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := sybil.Connect(&Peer{Address: node.addr, ID: node.id()})
	if err != nil {
		t.Fatal(err)
	}
	for range 96 {
		msg, err := wire.NewMessage("sybil", keys.Identity().ID, node.id(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Post(msg); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	if err := sybil.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

// The registry tells the set of every connection's end: what was set aside for it is free again.
func TestDedupSharesEndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other := startNode(t, n, 1), startNode(t, n, 2)
		d := node.dedup
		for range 3 {
			c := other.dial(node)
			synctest.Wait()
			if aside := d.limit - d.free.Load(); aside != d.share {
				t.Errorf("%d entries of room taken with one peer connected, want its share of %d", aside, d.share)
			}
			c.GracefulClose("again", wire.DisconnectNormal)
			time.Sleep(2 * time.Second)
			if taken, want := d.limit-d.free.Load(), int64(d.Len()); taken != want {
				t.Errorf("%d entries of room taken with no peer connected, want %d", taken, want)
			}
		}
	})
}

// accounts checks that entries, what is set aside and what is free make up the limit.
func accounts(t *testing.T, d *MessageDeduplicator) {
	t.Helper()
	aside := int64(0)
	for _, part := range d.parts {
		aside += part.allowed.Load() - part.used()
	}
	if sum := int64(d.Len()) + aside + d.free.Load(); sum != d.limit {
		t.Fatalf("%d entries, %d set aside and %d free are %d, want %d", d.Len(), aside, d.free.Load(), sum, d.limit)
	}
}

// Whatever comes and goes, not an entry of room is lost or invented; and in the end all of it is free.
func TestDedupLosesNoRoom(t *testing.T) {
	for seed := range uint64(50) {
		r := mathrand.New(mathrand.NewPCG(seed, 0))
		d := newDedup(t, 500, 100)
		now, conns := dedupStart, map[string]int{}
		for step := range 2000 {
			id := fmt.Sprint("peer", r.IntN(8))
			switch r.IntN(40) {
			case 0:
				d.For(id)
				conns[id]++
			case 1:
				d.Leave(id) // once too often, too
				conns[id] = max(conns[id]-1, 0)
			case 2:
				now = now.Add(time.Duration(r.Int64N(int64(testTTL / 2))))
				d.Rotate(now)
			default:
				msg := seenMessage(fmt.Sprint(r.IntN(1+step)), "x")
				msg.Timestamp = now.Add(time.Duration(r.Int64N(int64(testTTL))) - testTTL/2)
				account := d.For(id)
				account.Seen(msg, now)
				d.Leave(id)
				if r.IntN(100) == 0 && conns[id] == 0 {
					account.Seen(seenMessage(fmt.Sprint("late", step), "x"), now)
				}
			}
			accounts(t, d)
		}
		for id, n := range conns {
			for range n {
				d.Leave(id)
			}
		}
		for i := range 4 {
			d.Rotate(now.Add(time.Duration(i+1) * testTTL))
		}
		if d.free.Load() != d.limit || len(d.parts) != 0 || d.Len() != 0 {
			t.Fatalf("seed %d: in the end %d of %d free, %d parts, %d entries", seed, d.free.Load(), d.limit, len(d.parts), d.Len())
		}
	}
}

// The same with everything at once.
func TestDedupLosesNoRoomConcurrently(t *testing.T) {
	d := newDedup(t, 10_000, 1000)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 50 {
				id := fmt.Sprint("peer", (w+i)%10)
				account := d.For(id)
				for j := range 100 {
					account.Seen(seenMessage(fmt.Sprint(w, " ", i, " ", j), "x"), dedupStart)
				}
				d.Leave(id)
				if w == 0 {
					d.Rotate(dedupStart.Add(time.Duration(i) * testTTL))
				}
			}
		})
	}
	all.Wait()
	accounts(t, d)
}
