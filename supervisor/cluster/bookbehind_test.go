package cluster

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A member whose records differ is asked for them once, and 250 ms after a failure again. Until all are here, no claim
// is granted, for two seconds at most.
func TestOtherRecordsDelayClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.a.beat.book = 5
		compare := func(when string, asks int) {
			t.Helper()
			r.compareBook(r.a)
			if n := len(r.bus.requests()); n != asks {
				t.Errorf("%s: %d questions, want %d", when, n, asks)
			}
		}
		began := r.now()
		compare("the first heartbeat", 1)
		verdicts := r.claimOf("peer")
		time.Sleep(time.Second)
		compare("during the fetch", 0)
		if !r.behind() || !r.a.behind.Equal(began) {
			t.Errorf("behind since %v, want the first heartbeat", r.a.behind.Sub(began))
		}
		r.onBookFetched(&bookFetched{r.a, errors.New("cut off")})
		compare("at once after a failure", 0)
		time.Sleep(fetchAgain - 1)
		compare("before the next attempt", 0)
		time.Sleep(time.Nanosecond)
		compare("250 ms after a failure", 1)
		if len(*verdicts) != 0 || r.a.behind.IsZero() {
			t.Errorf("verdicts %v, behind since %v", *verdicts, r.a.behind)
		}
		r.onBookFetched(&bookFetched{r.a, nil})
		if len(*verdicts) != 1 || !(*verdicts)[0].Granted || r.behind() {
			t.Errorf("verdicts after the fetch: %v, behind %v", *verdicts, r.behind())
		}
		compare("the next heartbeat", 1)
		r.a.beat.book = 0
		if compare("equal books", 0); r.behind() {
			t.Error("behind an equal book")
		}
	})
}

// A lost member delays no claim, and no member does so for longer than two seconds.
func TestBehindEndsAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		if r.behind() {
			t.Error("behind at first")
		}
		r.a.behind = r.now()
		time.Sleep(2*time.Second - 1)
		if r.a.lost = true; r.behind() {
			t.Error("behind a lost member")
		}
		if r.a.lost = false; !r.behind() {
			t.Error("not behind within two seconds")
		}
		if time.Sleep(time.Nanosecond); r.behind() {
			t.Error("behind for two seconds")
		}
	})
}

// A clock that is behind by less than a second counts as the delay of the heartbeat.
func TestSlowestClockIsThatOfTheMemberFurthestBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		for _, row := range []struct{ a, b, want time.Duration }{
			{time.Hour, 0, 0},
			{1 - time.Second, 0, 0},
			{-time.Second, 0, -time.Second},
			{-2 * time.Second, -time.Second, -2 * time.Second},
			{-2 * time.Second, -3 * time.Second, -3 * time.Second},
			{0, 0, 0},
		} {
			for m, behind := range map[*member]time.Duration{r.a: row.a, r.b: row.b} {
				m.beat.clock = time.Now().Add(behind).UnixNano()
			}
			r.compareClock(r.a)
			r.compareClock(r.b)
			if got := time.Duration(r.engine.slowest.Load()); got != row.want {
				t.Errorf("clocks %v and %v ahead: the slowest is %v, want %v", row.a, row.b, got, row.want)
			}
		}
	})
}
