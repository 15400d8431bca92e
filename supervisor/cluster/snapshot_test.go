package cluster

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Messages of a member that arrive while its claims are fetched are kept in order, at most 4,096. After a gap, or with
// more, the fetch begins anew and includes them. Repeated ones are dropped.
func TestMessagesAreKeptDuringAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		update := func(seq uint64) {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: seq, claims: []holding{{fmt.Sprint(seq), seq}}})
		}
		kept := func(when string, wanted uint64, n int) {
			t.Helper()
			if s := r.b.sync; s == nil || s.wanted != wanted || len(s.kept) != n || s.kept[n-1].seq != wanted+uint64(n) {
				t.Errorf("%s: fetches %+v, want the claims up to %d and then %d messages", when, s, wanted, n)
			}
		}
		update(7)
		kept("a gap", 6, 1)
		update(8)
		kept("the next", 6, 2)
		update(8)
		update(3)
		kept("earlier ones", 6, 2)
		update(11)
		kept("a second gap", 10, 1)
		for seq := uint64(12); seq < 11+maxKept; seq++ {
			update(seq)
		}
		kept("as many as are kept", 10, 4096)
		update(11 + maxKept)
		kept("one more", 10+maxKept, 1)
	})
}

// The claims of a member are those of its snapshot, and of the kept messages after it.
func TestSnapshotIsFollowedByKeptMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("before", r.b, 1)
		for seq := uint64(7); seq < 10; seq++ {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: seq, claims: []holding{{fmt.Sprint(seq), seq}}})
		}
		s := r.b.sync
		page := func(boot, seq, offset uint64, claims ...holding) {
			r.onFetched(&fetched{member: r.b, sync: s, page: &message{
				head: head{kindPage, "b", boot}, seq: seq, offset: offset, total: 2, claims: claims,
			}})
		}
		page(1, 8, 0, holding{"one", 2})
		page(2, 8, 1, holding{"two", 3}) // of another start: from the beginning
		if len(s.claims) != 0 {
			t.Fatalf("claims %v of two starts", s.claims)
		}
		page(1, 8, 0, holding{"one", 2})
		r.onFetched(&fetched{member: r.b, sync: s, err: errors.New("no answer")})
		if len(s.claims) != 0 {
			t.Fatalf("claims %v after an error", s.claims)
		}
		page(1, 8, 0, holding{"one", 2})
		page(1, 8, 1, holding{"two", 3})
		want := []holding{{"9", 9}, {"one", 2}, {"two", 3}}
		if got := r.directory.of(r.b); !slices.Equal(got, want) || r.b.sync != nil || r.b.next != 10 {
			t.Errorf("claims %v, fetching %v, next message %d, want %v and 10", got, r.b.sync, r.b.next, want)
		}
		page(1, 8, 0) // late
		if got := r.directory.of(r.b); !slices.Equal(got, want) {
			t.Errorf("claims %v after a late page", got)
		}
	})
}

// A page must begin or continue its snapshot.
func TestPagesContinueTheirSnapshot(t *testing.T) {
	two := make([]holding, 2)
	for _, row := range []struct {
		name  string
		known int
		page  message
		want  bool
	}{
		{"the first", 0, message{offset: 0, total: 9, claims: two}, true},
		{"the only one", 0, message{offset: 0, total: 2, claims: two}, true},
		{"of no claims", 0, message{offset: 0, total: 0}, true},
		{"the next", 2, message{offset: 2, total: 9, claims: two}, true},
		{"the last", 2, message{offset: 2, total: 4, claims: two}, true},
		{"of another kind", 0, message{head: head{kind: kindUpdate}, total: 2, claims: two}, false},
		{"repeated", 2, message{offset: 0, total: 9, claims: two}, false},
		{"after a gap", 2, message{offset: 3, total: 9, claims: two}, false},
		{"of another snapshot", 2, message{seq: 6, offset: 2, total: 9, claims: two}, false},
		{"with more claims than announced", 0, message{offset: 0, total: 1, claims: two}, false},
		{"of the largest snapshot", 0, message{offset: 0, total: maxClaims, claims: two}, true},
		{"of too many claims", 0, message{offset: 0, total: maxClaims + 1, claims: two}, false},
		{"empty, with claims missing", 2, message{offset: 2, total: 3}, false},
	} {
		s := syncing{seq: 5, total: row.page.total, claims: make([]holding, row.known)}
		if row.page.kind == 0 {
			row.page.kind = kindPage
		}
		if row.page.seq == 0 {
			row.page.seq = 5
		}
		if got := s.continues(&row.page); got != row.want {
			t.Errorf("a page %s: %v, want %v", row.name, got, row.want)
		}
	}
	next := &message{head: head{kind: kindPage}, seq: 5, offset: 2, total: 9, claims: two}
	if s := (&syncing{seq: 5, total: 8, pages: 1, claims: two}); s.continues(next) {
		t.Error("a page of a snapshot that has grown continues it")
	}
	for pages, want := range map[int]bool{maxPages - 1: true, maxPages: false} {
		if s := (&syncing{seq: 5, total: 9, pages: pages, claims: two}); s.continues(next) != want {
			t.Errorf("a page after %d others: %v, want %v", pages, !want, want)
		}
	}
}

// A member that sends one claim in each page is asked for as many pages as the largest snapshot has, and then anew.
func TestPagesOfASnapshotAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7})
		s := r.b.sync
		for i := range uint64(maxPages) {
			r.onFetched(&fetched{member: r.b, sync: s, page: &message{
				head: head{kindPage, "b", 1}, seq: 8, offset: i, total: maxClaims, claims: []holding{{fmt.Sprint(i), 1}},
			}})
			if len(s.claims) != int(i)+1 {
				t.Fatalf("%d claims after %d pages", len(s.claims), i+1)
			}
		}
		r.onFetched(&fetched{member: r.b, sync: s, page: &message{
			head: head{kindPage, "b", 1}, seq: 8, offset: maxPages, total: maxClaims, claims: []holding{{"more", 1}},
		}})
		if len(s.claims) != 0 || r.b.sync != s {
			t.Errorf("%d claims after one more page, want a fetch from the beginning", len(s.claims))
		}
	})
}

// A snapshot serves the members that want no later message, for five seconds. It is kept for ten, so that its pages can
// be read. Queued changes are announced before it is taken.
func TestSnapshotIsSharedAndDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.bus.take(0)
		ask := func(wanted, offset uint64) (page *message) {
			r.onSnapshot(&message{seq: wanted, offset: offset}, func(body []byte) {
				var err error
				if page, err = decode(body); err != nil {
					t.Fatal(err)
				}
			})
			return page
		}
		for i := range maxPage + 1 {
			r.claimOf(fmt.Sprint(i))
		}
		r.claimOf("late")
		first := ask(0, 0)
		if n := len(r.bus.take(kindUpdate)); n != 3 || first.seq != r.self.next || len(r.pending) != 0 {
			t.Fatalf("%d messages before the snapshot after %d, want 3 and %d", n, first.seq, r.self.next)
		}
		if first.total != maxPage+2 || len(first.claims) != maxPage {
			t.Errorf("a page of %d of %d claims, want %d of %d", len(first.claims), first.total, maxPage, maxPage+2)
		}
		for offset, want := range map[uint64]int{maxPage: 2, maxPage + 1: 1, maxPage + 2: 0, maxPage + 9: 0} {
			if page := ask(first.seq, offset); len(page.claims) != want || page.total != first.total || page.offset != offset {
				t.Errorf("from %d on: %d of %d claims, want %d", offset, len(page.claims), page.total, want)
			}
		}
		if page := ask(first.seq+1, 1); page.total != 0 || len(page.claims) != 0 {
			t.Errorf("a page of an unknown snapshot: %+v", page)
		}
		if page := ask(1<<63, 0); page.seq != first.seq || len(r.snapshots) != 1 {
			t.Errorf("a message far ahead is wanted: %d snapshots, the last after %d", len(r.snapshots), page.seq)
		}
		r.onBeat() // one message more
		time.Sleep(snapshotKept/2 - 1)
		if page := ask(first.seq, 0); page.seq != first.seq {
			t.Errorf("the snapshot after message %d, want the one after %d again", page.seq, first.seq)
		}
		if page := ask(first.seq+1, 0); page.seq != first.seq+1 {
			t.Errorf("the snapshot after message %d does not include the wanted one", page.seq)
		}
		time.Sleep(time.Nanosecond)
		delete(r.snapshots, first.seq+1)
		if page := ask(first.seq, 0); page.seq != first.seq+1 {
			t.Errorf("five seconds later the snapshot after message %d, want a new one", page.seq)
		}
		time.Sleep(snapshotKept/2 - 1)
		r.dropSnapshots(time.Now())
		if len(r.snapshots) != 2 {
			t.Errorf("%d snapshots before ten seconds have passed, want 2", len(r.snapshots))
		}
		time.Sleep(time.Nanosecond)
		r.dropSnapshots(time.Now())
		if len(r.snapshots) != 1 {
			t.Errorf("%d snapshots after ten seconds, want the second one", len(r.snapshots))
		}
		r.onSnapshot(&message{}, nil) // published, not asked
	})
}

// The first question names the message that the snapshot must include, the next ones the snapshot. After Leave none is
// asked.
func TestQuestionsNameTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7})
		s := r.b.sync
		r.onFetched(&fetched{member: r.b, sync: s, page: &message{
			head: head{kindPage, "b", 1}, seq: 9, total: 2, claims: []holding{{"one", 2}},
		}})
		synctest.Wait()
		if asks := r.bus.asks; len(asks) != 2 || asks[0].seq+asks[1].seq != 6+9 || asks[0].offset+asks[1].offset != 1 {
			t.Errorf("asks %+v, want 6 from 0 and 9 from 1", asks)
		}
		r.bus.requests()
		r.engine.exchanges.end()
		r.fetch(r.b, 0)
		if asked := r.bus.requests(); len(asked) != 0 {
			t.Errorf("asks %q after Leave", asked)
		}
	})
}

// A page for an earlier fetch, or of a member that has left, is dropped.
func TestLatePagesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7})
		first := r.b.sync
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 9})
		second := r.b.sync
		page := &message{head: head{kindPage, "b", 1}, seq: 9, total: 1, claims: []holding{{"one", 2}}}
		r.onFetched(&fetched{member: r.b, sync: first, page: page})
		if second == first || r.b.sync != second || r.log.counts[actors.ClusterSnapshots] != 0 {
			t.Errorf("the page of an earlier fetch ends the present one")
		}
		r.hear(&message{head: head{kindGoodbye, "b", 1}, seq: 10})
		r.onFetched(&fetched{member: r.b, sync: second, page: page})
		if got := r.directory.of(r.b); len(got) != 0 {
			t.Errorf("claims %v of a member that has left", got)
		}
	})
}

// The messages that are kept during a fetch have at most 262,144 changes, which take 23 MB: a faulty member may send
// 4,096 long messages during a fetch. With more, the fetch begins anew and includes them. Repeated ones do not count.
func TestKeptChangesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		update := &message{head: head{kindUpdate, "b", 1}}
		for i := range maxChanges {
			peer := fmt.Sprintf("%064d", i)
			update.claims = append(update.claims, holding{peer, 1})
			update.releases = append(update.releases, release{peer, 1})
		}
		heap := func() int64 {
			var stats runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&stats)
			return int64(stats.HeapAlloc)
		}
		before := heap()
		for i := range uint64(64) {
			for _, seq := range []uint64{7 + i, 7} {
				update.seq = seq
				r.hear(update)
			}
		}
		if n, size := len(r.b.sync.kept), heap()-before; n != 64 || size > 30<<20 {
			t.Errorf("%d messages of %d bytes are kept, want 64 of at most 30 MB", n, size)
		}
		update.seq = 7 + 64
		if r.hear(update); r.b.sync.wanted != 6+64 || len(r.b.sync.kept) != 1 {
			t.Errorf("with more changes: fetches the claims up to %d, and keeps %d messages; want %d and 1",
				r.b.sync.wanted, len(r.b.sync.kept), 6+64)
		}
	})
}
