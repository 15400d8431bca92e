package peerbook

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// small limits the entries in memory, so that few make an archive.
func small(room int) Option { return func(b *Book) { b.entries.room = room } }

func openSmall(t testing.TB, path string, room, limit int) *Book {
	t.Helper()
	book, err := Open(path, KnownPeers(limit), small(room))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

// model is the content that a book must have.
type model struct {
	t     *testing.T
	path  string
	book  *Book
	peers map[string]Peer
}

func (m *model) reopen() {
	if m.book != nil {
		if err := m.book.Close(); err != nil {
			m.t.Fatal(err)
		}
	}
	m.book = openSmall(m.t, m.path, 20, 1000)
}

// step does one random thing.
func (m *model) step(random *rand.Rand) {
	p := testPeer(m.t, random.IntN(300))
	p.Name, p.Address = fmt.Sprint("name", random.IntN(40)), fmt.Sprint("10.0.0.", random.IntN(40), ":1")
	switch n := random.IntN(100); {
	case n < 50:
		m.book.Add(p)
		if old, known := m.peers[p.ID]; known {
			p.AddedAt = old.AddedAt
		}
		m.peers[p.ID] = p
	case n < 65:
		old, known := m.peers[p.ID]
		if m.book.Update(p.ID, func(p *Peer) { p.LastSeen = p.LastSeen.Add(time.Hour) }) != known {
			m.t.Errorf("%s: known is not %v", p.ID, known)
		}
		if known {
			old.LastSeen = old.LastSeen.Add(time.Hour)
			m.peers[p.ID] = old
		}
	case n < 75:
		if _, known := m.peers[p.ID]; m.book.Remove(p.ID) != known {
			m.t.Errorf("remove %s: known is not %v", p.ID, known)
		}
		delete(m.peers, p.ID)
	case n < 80:
		if err := m.book.SetAlias(p.ID, p.ID[:8]); err != nil {
			m.t.Error(err)
		}
	case n < 90:
		if err := m.book.Sync(); err != nil {
			m.t.Error(err)
		}
	case n < 91:
		m.reopen()
	default:
		m.search(p)
	}
}

// search compares the searches of the book with the model.
func (m *model) search(p Peer) {
	m.t.Helper()
	got, known := m.book.Get(p.ID)
	if want, is := m.peers[p.ID]; known != is || got != want {
		m.t.Errorf("got %+v, %v; want %+v, %v", got, known, want, is)
	}
	var named []Peer
	at := ""
	for _, id := range slices.Sorted(maps.Keys(m.peers)) {
		other := m.peers[id]
		if other.Name == p.Name || strings.HasPrefix(id, p.Name) {
			named = append(named, other)
		}
		if at == "" && other.Address == p.Address && id != p.ID {
			at = id
		}
	}
	if got := m.book.Find(p.Name, 1); !slices.Equal(got, named) {
		m.t.Errorf("find %q: %v, want %v", p.Name, ids(got), ids(named))
	}
	if got := m.book.Find(p.ID[:12], 8); known != (len(got) == 1) {
		m.t.Errorf("find prefix %q: %v, known %v", p.ID[:12], ids(got), known)
	}
	if got := m.book.At(p.Address, p.ID); got != at && !m.hasAddress(got, p) {
		m.t.Errorf("at %s: %q, want %q", p.Address, got, at)
	}
}

func (m *model) hasAddress(id string, p Peer) bool {
	return m.peers[id].Address == p.Address && id != p.ID && id != ""
}

// check compares everything.
func (m *model) check() {
	m.t.Helper()
	want := slices.SortedFunc(maps.Values(m.peers), func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	if got := m.book.List(); !slices.Equal(got, want) || m.book.Len() != len(want) {
		m.t.Errorf("%d listed of %d, want %d", len(got), m.book.Len(), len(want))
	}
	var paged []Peer
	for after := ""; ; {
		page := m.book.Page(after, 7)
		paged = append(paged, page...)
		if len(page) < 7 {
			break
		}
		after = page[6].ID
	}
	if !slices.Equal(paged, want) {
		m.t.Errorf("%d in pages, want %d", len(paged), len(want))
	}
	var size int64
	for _, p := range want {
		size += int64(p.bytes())
	}
	if got := m.book.entries.size(); got != size {
		m.t.Errorf("%d bytes counted, want %d", got, size)
	}
}

// A book with an archive answers as a book in memory would, whatever happens in whatever order.
func TestArchiveKeepsEveryEntry(t *testing.T) {
	for seed := range uint64(2) {
		m := &model{t: t, path: filepath.Join(t.TempDir(), "peers.db"), peers: map[string]Peer{}}
		m.reopen()
		random := rand.New(rand.NewPCG(seed, 1))
		for range 1000 {
			m.step(random)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		if m.book.entries.archive.count < 50 || len(m.book.aliases) == 0 {
			t.Errorf("%d entries in the archive: nothing was tested", m.book.entries.archive.count)
		}
		m.check()
		m.reopen()
		m.check()
	}
}

// A change that could not be written stays, and so do those after it.
func TestArchiveSurvivesFailedWrites(t *testing.T) {
	m := &model{t: t, path: filepath.Join(t.TempDir(), "peers.db"), peers: map[string]Peer{}}
	m.reopen()
	for i := range 100 {
		p := testPeer(t, i)
		m.book.Add(p)
		m.peers[p.ID] = p
	}
	if err := m.book.Sync(); err != nil {
		t.Fatal(err)
	}
	written := m.book.disk.db
	m.book.disk.db = closedFile(t)
	for i := 40; i < 60; i++ {
		p := testPeer(t, i)
		p.Name = "later"
		m.book.Add(p)
		m.peers[p.ID] = p
		if i%5 == 0 && m.book.Sync() == nil {
			t.Error("a write succeeded")
		}
	}
	m.book.disk.db = written
	m.check()
	m.reopen()
	m.check()
}

// While the disk refuses writes, a flood of peers keeps a limited number of changes in memory.
func TestArchiveLimitsWaitingChanges(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 100_000)
	written := book.disk.db
	book.disk.db = closedFile(t)
	for i := range 1000 {
		book.Add(testPeer(t, i))
		if err := book.Sync(); i%100 == 0 && err == nil {
			t.Error("a write succeeded")
		}
	}
	if n, limit := len(book.entries.archive.changed), (maxWaiting+maxMoved)*2; n > limit || n < limit/2 {
		t.Errorf("%d changes wait, want at most %d", n, limit)
	}
	book.disk.db = written
}

// Made-up identities displace each other in both tiers, and no peer that was dialled or has come back.
func TestArchiveEvictsVisitorsFirst(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 50, 300)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 200 {
		p := testPeer(t, i)
		p.Address, p.AddedAt, p.LastSeen = "", begin, begin.Add(time.Hour)
		if i%2 == 0 {
			p.Address, p.LastSeen = "10.0.0.1:1", begin
		}
		book.Add(p)
	}
	for i := range 3000 {
		p := testPeer(t, 10_000+i)
		p.Address, p.AddedAt = "", begin.Add(2*time.Hour+time.Duration(i)*time.Second)
		p.LastSeen = p.AddedAt
		book.Add(p)
		if i%100 == 0 {
			if err := book.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 200 {
		if _, known := book.Get(testKey(t, i).NodeID()); !known {
			t.Fatalf("peer %d was evicted by identities that came once", i)
		}
	}
	if n := book.Len(); n > 300 || n < 270 {
		t.Errorf("%d entries, want 300 or a little less", n)
	}
	if _, known := book.Get(testKey(t, 10_000+2999).NodeID()); !known {
		t.Error("the last peer is not known")
	}
}

// A peer that was never verified does not enter the archive, so that their number stays limited.
func TestArchiveHoldsVerifiedPeersOnly(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 1000)
	for i := range 500 {
		p := testPeer(t, i)
		p.LastSeen = time.Time{}
		book.Add(p)
	}
	if n := book.Len(); n > 20 {
		t.Errorf("%d entries of peers that were never verified, want at most 20", n)
	}
}

// Peers that are allowed or aliased while they are in the archive are protected from eviction from then on.
func TestArchivedPeersCanBeProtected(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 200)
	for i := range 100 {
		book.Add(testPeer(t, i))
	}
	if err := book.Allow(testKey(t, 0)); err != nil {
		t.Fatal(err)
	}
	if err := book.SetAlias(testKey(t, 1).NodeID(), "mine"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		book.Add(testPeer(t, 1000+i))
	}
	for i, want := range []bool{true, true, false} {
		if _, known := book.Get(testKey(t, i).NodeID()); known != want {
			t.Errorf("peer %d is known %v, want %v", i, known, want)
		}
	}
}

// A name keeps finding the peer that has it longest, however many others take it later.
func TestFindReturnsThePeersThatHaveANameLongest(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 10_000)
	for i := range 1000 {
		p := testPeer(t, i)
		p.Name, p.AddedAt = "alice", time.Unix(int64(1000*i), 0)
		book.Add(p)
	}
	if err := book.Sync(); err != nil {
		t.Fatal(err)
	}
	found := book.Find("alice", 8)
	if n := len(found); n < maxSameName || n > maxSameName+20 {
		t.Errorf("%d peers found, want %d and those in memory", n, maxSameName)
	}
	if !slices.Contains(ids(found), testKey(t, 0).NodeID()) {
		t.Error("the first peer of that name is not found")
	}
}

func TestUnseenSelectsByTimeInSlices(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 1000)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 300 {
		p := testPeer(t, i)
		p.AddedAt, p.LastSeen = begin, begin.Add(time.Duration(i)*time.Minute)
		if i%3 == 0 {
			p.Address = ""
		}
		p.Persistent = i == 7
		book.Add(p)
	}
	kept := testPeer(t, 8).ID
	removed := 0
	for {
		unseen := book.Unseen(begin.Add(200*time.Minute), 30, func(id string) bool { return id == kept })
		for _, id := range unseen {
			if book.Remove(id) {
				removed++
			}
		}
		if len(unseen) < 30 {
			break
		}
	}
	if removed != 198 || book.Len() != 102 {
		t.Errorf("%d removed, %d left; want 198 and 102", removed, book.Len())
	}
}

// A lower limit removes the archive when a transport starts, not when a program looks into the book.
func TestLowerLimitRemovesTheArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openSmall(t, path, 20, 1000)
	for i := range 500 {
		book.Add(testPeer(t, i))
	}
	recent := len(book.entries.recent)
	for _, step := range []struct {
		limit  int
		starts bool
		want   int
	}{{20, false, 500}, {1000, true, 500}, {470, true, 470}, {20, true, recent}, {1000, true, recent}} {
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
		book = openSmall(t, path, 20, step.limit)
		before := book.Len()
		if step.starts {
			if _, err := book.Begin(); err != nil {
				t.Fatal(err)
			}
		}
		if n := book.Len(); n > step.want || n < step.want-3 || book.OverLimits() != before-n {
			t.Errorf("%+v: %d entries of %d, %d beyond the limit", step, n, before, book.OverLimits())
		}
	}
	if book.entries.archive.count != 0 {
		t.Errorf("the archive has %d entries again", book.entries.archive.count)
	}
}

// Preload reads only what a lookup would read from disk.
func TestPreloadIsForArchivedPeers(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 1000)
	if book.Preload("unknown") != nil {
		t.Error("a book without an archive reads the disk for an unknown peer")
	}
	for i := range 100 {
		book.Add(testPeer(t, i))
	}
	first, last := testPeer(t, 0).ID, testPeer(t, 99).ID
	if book.Preload(first) != nil {
		t.Error("a change that waits is read from disk")
	}
	if err := book.Sync(); err != nil {
		t.Fatal(err)
	}
	if book.Preload(last) != nil {
		t.Error("a recent peer is read from disk")
	}
	load := book.Preload(first)
	if load == nil || book.Preload("unknown") == nil {
		t.Fatal("an archived or unknown peer is not read from disk")
	}
	load()
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	load() // does no harm
}

// A book that is full to its limit loses nothing in a restart.
func TestFullBookOpensWithAllEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	for range 2 {
		book := openSmall(t, path, 20, 20)
		for i := range 20 {
			book.Add(testPeer(t, i))
		}
		if book.Len() != 20 || book.OverLimits() != 0 {
			t.Errorf("%d entries, %d beyond the limits; want 20 and 0", book.Len(), book.OverLimits())
		}
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
