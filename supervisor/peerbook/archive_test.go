package peerbook

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

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
	written := m.book.setFile(closedFile(t))
	for i := 40; i < 60; i++ {
		p := testPeer(t, i)
		p.Name = "later"
		m.book.Add(p)
		m.peers[p.ID] = p
		if i%5 == 0 && m.book.Sync() == nil {
			t.Error("a write succeeded")
		}
	}
	m.book.setFile(written)
	m.check()
	m.reopen()
	m.check()
}

// While the disk refuses writes, a flood of peers keeps a limited number of changes in memory.
func TestArchiveLimitsWaitingChanges(t *testing.T) {
	book := openSmall(t, filepath.Join(t.TempDir(), "peers.db"), 20, 100_000)
	written := book.setFile(closedFile(t))
	for i := range 1000 {
		book.Add(testPeer(t, i))
		if err := book.Sync(); i%100 == 0 && err == nil {
			t.Error("a write succeeded")
		}
	}
	book.mu.RLock()
	waiting := len(book.entries.archive.changed) + len(book.entries.archive.writing)
	book.mu.RUnlock()
	if limit := (maxWaiting + maxMoved) * 2; waiting > limit || waiting < limit/2 {
		t.Errorf("%d changes wait, want at most %d", waiting, limit)
	}
	book.setFile(written)
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

// Preload reads an entry only if a lookup would read it from disk.
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

// setFile makes a book write to another file, and returns the one before. Background writes hold the same lock.
func (b *Book) setFile(db *bolt.DB) (before *bolt.DB) {
	b.writing.Lock()
	defer b.writing.Unlock()
	before, b.disk.db = b.disk.db, db
	return before
}

// closedFile is a database that refuses every write.
func closedFile(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "closed.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return db
}
