package supervisor

import (
	"crypto/rand"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// A peer that sends what its bucket lets through, its burst first, is never refused: whatever the times are, with a sweep
// that comes half a second late, and a clock that is half a second ahead.
func TestDedupTakesWhatTheLimiterLetsThrough(t *testing.T) {
	for _, c := range []struct{ ttl, skew, ahead, late time.Duration }{
		{ttl: time.Minute},
		{ttl: 61 * time.Second},
		{ttl: 61 * time.Second, late: 500 * time.Millisecond},
		{ttl: 61 * time.Second, ahead: 500 * time.Millisecond},
		{ttl: 90 * time.Second},
		{ttl: 5 * time.Second, skew: 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) {
				s.cfg.DedupTTL, s.cfg.MaxClockSkew, s.cfg.MaxConns = c.ttl, c.skew, 1
			})
			if c.late > 0 {
				node.dedup.mu.Lock()
				node.dedup.rotated = node.dedup.rotated.Add(c.late)
				node.dedup.mu.Unlock()
			}
			window := max(c.ttl, c.skew)
			peer, msg, refused := node.dedup.For("honest"), &wire.Message{Type: "chat"}, 0
			for i := range 100 + 50*int(4*window/time.Second) {
				if i >= 100 { // 50 a second
					time.Sleep(20 * time.Millisecond)
				}
				msg.ID, msg.Timestamp = fmt.Sprint(i), time.Now().Add(c.ahead)
				if peer.Seen(msg, time.Now()) == actors.Full {
					refused++
				}
			}
			if refused > 0 {
				t.Errorf("%+v: %d refused", c, refused)
			}
		})
	}
}

// What has expired is dropped when it is due, whatever the TTL; and an idle node is not woken more often for it.
func TestDedupIsSweptInTime(t *testing.T) {
	for _, ttl := range []time.Duration{10 * time.Millisecond, 61 * time.Second, 90 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.cfg.DedupTTL = ttl })
			began := time.Now()
			node.dedup.For("a").Seen(&wire.Message{ID: "1", Type: "chat", Timestamp: began}, began)
			time.Sleep(2*ttl - time.Millisecond)
			synctest.Wait()
			if node.dedup.Len() != 1 {
				t.Errorf("TTL %v: forgotten too early", ttl)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if node.dedup.Len() != 0 {
				t.Errorf("TTL %v: it is there after two TTLs", ttl)
			}
			if due, want := node.dedup.untilRotation(time.Now()), ttl-time.Millisecond; due != want {
				t.Errorf("TTL %v: the next rotation is due in %v, want %v", ttl, due, want)
			}
		})
	}
}

// The same through a restart: what the last run saw takes room only for as long as it lives.
func TestDedupTakesItAfterARestartToo(t *testing.T) {
	cfg := DefaultTransportConfig()
	cfg.MaxConns = 1
	limit, share := dedupSize(&cfg)
	now, window := dedupStart, testTTL
	set := newDedup(t, limit, share)
	msg := &wire.Message{Type: "chat"}
	send := func(set *MessageDeduplicator, during time.Duration) (refused int) {
		for end := now.Add(during); now.Before(end); now = now.Add(20 * time.Millisecond) {
			if set.untilRotation(now) <= 0 {
				set.Rotate(now)
			}
			msg.ID, msg.Timestamp = fmt.Sprint(now.UnixNano()), now
			if set.For("honest").Seen(msg, now) == actors.Full {
				refused++
			}
		}
		return refused
	}
	send(set, 2*window)
	path := t.TempDir() + "/seen"
	if err := set.save(path, now, now); err != nil {
		t.Fatal(err)
	}
	next, err := NewMessageDeduplicator(window, limit, share, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second) // it is made, and started later
	if found, err := next.load(path, now, now); err != nil || !found {
		t.Fatalf("loaded: %v, %v", found, err)
	}
	if n, want := next.Len(), int(window/(20*time.Millisecond))-100; n < want {
		t.Fatalf("%d entries are restored, want %d", n, want)
	}
	if refused := send(next, 4*window); refused > 0 {
		t.Errorf("%d refused after a restart", refused)
	}
}
