package cluster

import (
	"testing"
	"testing/synctest"
	"time"
)

// Join ends 750 ms after its call if the claims of all living members are known then, otherwise with the last of them,
// and after two seconds without them.
func TestJoinEndsWithTheLastClaims(t *testing.T) {
	for name, row := range map[string]struct {
		prepare func(r *coordinatorRig)
		then    func(r *coordinatorRig) // after 1 s
		want    time.Duration
	}{
		"nothing is missing": {want: 750 * time.Millisecond},
		"claims arrive":      {fetching, func(r *coordinatorRig) { r.complete(r.b) }, time.Second},
		"no claims":          {fetching, nil, 2 * time.Second},
		"records arrive": {func(r *coordinatorRig) { r.b.behind = r.now() }, func(r *coordinatorRig) {
			r.onBookFetched(&bookFetched{member: r.b})
		}, time.Second},
		"no records": {func(r *coordinatorRig) { r.b.behind = r.now() }, nil, 2 * time.Second},
		"records of a lost member": {func(r *coordinatorRig) {
			r.b.behind, r.b.lost = r.now(), true
		}, nil, 750 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			began, ended := time.Now(), time.Duration(-1)
			r.joined, r.joinedAt = func(error) { ended = time.Since(began) }, began.Add(joinWithin)
			r.coordinator.beats = time.NewTimer(0) // a heartbeat was sent
			if row.prepare != nil {
				row.prepare(r)
			}
			for range 8 {
				r.considerJoin()
				time.Sleep(250*time.Millisecond - 1)
				r.considerJoin()
				time.Sleep(time.Nanosecond)
				if time.Since(began) == time.Second && row.then != nil {
					row.then(r)
					break
				}
			}
			if row.then == nil {
				r.considerJoin()
			}
			if ended != row.want {
				t.Errorf("%s: Join ended after %v, want %v", name, ended, row.want)
			}
		})
	}
}

// When Join returns, this member knows which others may have entries, and asks them about the first message.
func TestJoinEndsWithTheHistoryOfHomes(t *testing.T) {
	r := newCoordinatorRig(t)
	clear(r.engine.seen.missed)
	missed := 0
	r.joined = func(error) { missed = len(r.engine.seen.missed) }
	if r.endJoin(nil); missed != 3 {
		t.Errorf("%d members are asked at the end of Join, want 3", missed)
	}
}

func fetching(r *coordinatorRig) { r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7}) }
