package supervisor

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

func TestAdmissionRateFollowsTheLimitPerAddress(t *testing.T) {
	for perAddress, want := range map[int]admissionRate{
		1: {100, time.Second}, 2: {100, time.Second}, 10: {100, time.Second}, 25: {100, 400 * time.Millisecond},
		250: {1000, 40 * time.Millisecond}, -1: {100, time.Second},
	} {
		if got := admissionRateOf(perAddress); got != want {
			t.Errorf("%d per address: %+v, want %+v", perAddress, got, want)
		}
	}
}

func TestAdmissionRateTakesBurstThenInterval(t *testing.T) {
	rate, start := admissionRate{burst: 3, interval: time.Second}, time.Unix(1000, 0)
	var fullAt time.Time
	for i, c := range []struct {
		after time.Duration // since start
		want  bool
	}{
		{0, true},
		{0, true},
		{0, true},
		{0, false},
		{time.Second - 1, false},
		{time.Second, true},
		{time.Second, false},
		{time.Hour, true},
		{time.Hour, true},
		{time.Hour, true},
		{time.Hour, false}, // no more than the burst is saved
	} {
		var ok bool
		if fullAt, ok = rate.take(fullAt, start.Add(c.after)); ok != c.want {
			t.Errorf("step %d: %v, want %v", i, ok, c.want)
		}
	}
}

// Each of any number of addresses costs an entry until its bucket is full again.
func TestAdmissionRatesForgetFullBuckets(t *testing.T) {
	rates, rate, now := newAdmissionRates(), admissionRateOf(25), time.Unix(1000, 0)
	most := 0
	for i := range 100_000 { // 1,000 per second: each is full after 400 ms
		now = now.Add(time.Millisecond)
		rates.charge(fmt.Sprint(i), rate, now)
		most = max(most, len(rates.fullAt))
	}
	if most > minPruned+1 {
		t.Errorf("%d entries, want at most %d", most, minPruned+1)
	}
	rates.charge("", rate, now)
	if rates.exhausted("", admissionRate{}, now) {
		t.Error("the group without a limit is exhausted")
	}
}

// visitOnce connects with a fresh identity, proves it, and leaves. It returns false for an HTTP 503.
func visitOnce(t *testing.T, from *memnet.Host, node *testNode) bool {
	t.Helper()
	identity, err := refpeer.New("visitor")
	if err != nil {
		t.Fatal(err)
	}
	peer, err := refpeer.Dial(t.Context(), node.URL(), refpeer.Options{Identity: identity, NetDial: from.DialContext})
	var refused *refpeer.StatusError
	if errors.As(err, &refused) && refused.Code == 503 {
		return false
	}
	if err == nil {
		_, err = peer.Send("stats", node.id(), 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	peer.Close()
	synctest.Wait()
	return true
}

// Fresh identities that prove their keys and leave get 100 slots of one address at once, then one in 400 ms. So many
// events and book entries they cause. Another address and loopback are not affected.
func TestVisitorsOfOneAddressAreLimitedInRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		attacker, other := n.Attach("10.0.0.99"), n.Attach("10.0.0.98")
		start, admitted := time.Now(), 0
		for range 400 {
			if visitOnce(t, attacker, node) {
				admitted++
			}
			time.Sleep(100*time.Millisecond - time.Since(start)%(100*time.Millisecond))
		}
		within := time.Since(start)
		want := minAdmissionBurst + int((within-1)/(400*time.Millisecond))
		if admitted != want {
			t.Errorf("%d of 400 admitted within %v, want %d", admitted, within, want)
		}
		if ups, downs := len(eventsOf[PeerUp](node)), len(eventsOf[PeerDown](node)); ups != want || downs != want {
			t.Errorf("%d and %d events, want %d each", ups, downs, want)
		}
		if got := node.book.Len(); got != want {
			t.Errorf("%d entries in the book, want %d", got, want)
		}
		node.wantCount(actors.ConnectionsRefused, uint64(400-want))
		if !visitOnce(t, other, node) {
			t.Error("another address is refused")
		}
	})
}

// A fleet of as many peers behind one address as may connect at once loses no connection to the rate: all of them
// reconnect four times at once, then each every ten seconds.
func TestAdmissionRateHindersNoFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		fleet := n.Attach("10.0.0.99")
		for round := range 4 + 6 {
			if round >= 4 {
				time.Sleep(10 * time.Second)
			}
			for i := range 25 {
				if !visitOnce(t, fleet, node) {
					t.Fatalf("round %d: peer %d is refused", round, i)
				}
			}
		}
	})
}
