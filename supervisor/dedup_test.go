package supervisor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

func TestDedupSizeFollowsTheRateLimit(t *testing.T) {
	cfg := DefaultTransportConfig()
	if limit, share := dedupSize(&cfg); limit != 1_533_593 || share != 15_100 {
		t.Errorf("defaults: %d and %d, want what 100 connections can send in 5 minutes, and a 64th", limit, share)
	}
	cfg.MaxClockSkew = 10 * time.Minute
	if limit, share := dedupSize(&cfg); limit != 3_057_031 || share != 30_100 {
		t.Errorf("entries live for a skew of 10 minutes: %d and %d", limit, share)
	}
	cfg.MaxClockSkew, cfg.RateBurst = 0, 1
	if _, share := dedupSize(&cfg); share != 15_050 {
		t.Errorf("without a burst: %d, want a second's messages more than a window's", share)
	}
	cfg.RateRefill = 0
	if limit, share := dedupSize(&cfg); limit != dedupUnlimited || share != dedupUnlimited/100 {
		t.Errorf("without a rate limit: %d and %d", limit, share)
	}
	cfg.RateRefill, cfg.MaxConns = 1e12, 1<<20
	if limit, share := dedupSize(&cfg); limit != dedupUnlimited || share != dedupUnlimited {
		t.Errorf("with a huge one: %d and %d", limit, share)
	}
}

// The set refuses no message of a peer at its rate limit, burst first, for any TTL and skew, with a clock half a second
// ahead.
func TestDedupAcceptsTheRateLimit(t *testing.T) {
	for _, c := range []struct{ ttl, skew, ahead time.Duration }{
		{ttl: time.Minute},
		{ttl: 61 * time.Second},
		{ttl: 61 * time.Second, ahead: 500 * time.Millisecond},
		{ttl: 90 * time.Second},
		{ttl: 5 * time.Second, skew: 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) {
				s.cfg.DedupTTL, s.cfg.MaxClockSkew, s.cfg.MaxConns = c.ttl, c.skew, 1
			})
			window := max(c.ttl, c.skew)
			peer, msg, refused := node.dedup.For("honest"), &wire.Message{Type: "chat"}, 0
			for i := range 100 + 50*int(4*window/time.Second) {
				if i >= 100 { // 50 per second
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

// Expired entries are dropped in time for any TTL, without extra wake-ups.
func TestDedupExpiresInTime(t *testing.T) {
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
			if due, want := node.dedup.UntilRotation(time.Now()), ttl-time.Millisecond; due != want {
				t.Errorf("TTL %v: the next rotation is due in %v, want %v", ttl, due, want)
			}
		})
	}
}
