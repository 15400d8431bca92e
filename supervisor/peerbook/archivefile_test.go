package peerbook

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// archiveWriterEnv makes this test binary the process that is killed while entries move.
const archiveWriterEnv = "P2P_TEST_ARCHIVE_WRITER"

// moveForEver adds 300 peers to a book with room for 20 in memory, again and again.
func moveForEver(path string) {
	book, err := Open(path, KnownPeers(1000), small(20))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	t := &testing.T{}
	for n := 0; ; n++ {
		book.Add(testPeer(t, n%300))
		if n == 300 {
			fmt.Println("writing")
		}
		if n%7 == 0 && book.Sync() != nil {
			os.Exit(1)
		}
	}
}

// kill -9 at any moment leaves each entry in one of the two tiers, and indexes that agree with the entries.
func TestArchiveSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	for round := range 5 {
		killWriter(t, archiveWriterEnv, path)
		checkTiers(t, path, round)
	}
}

// checkTiers opens a book in which 294 of the peers, or more, were written.
func checkTiers(t *testing.T, path string, round int) {
	t.Helper()
	book, err := Open(path, KnownPeers(1000), small(20))
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer book.Close()
	list := book.List()
	if len(list) != book.Len() || len(list) < 294 {
		t.Errorf("round %d: %d entries, %d counted, want 294 to 300", round, len(list), book.Len())
	}
	archive := &book.entries.archive
	err = archive.db.View(func(tx *bolt.Tx) error {
		s := openShelves(tx)
		entries, texts := 0, 0
		if err := s.from(nil, func(id string, data []byte) (bool, error) {
			p, err := decodePeer(id, data)
			age := p.age()
			if _, twice := book.entries.recent[id]; twice || s.order.Get(age.orderKey()) == nil {
				t.Errorf("round %d: %s is in both tiers or not in the order", round, id)
			}
			entries++
			texts += len(p.textKeys())
			return true, err
		}); err != nil {
			return err
		}
		ordered, named := s.order.Inspect().KeyN, s.texts.Inspect().KeyN
		if entries != archive.count || ordered != entries || named != texts {
			t.Errorf("round %d: %d entries of %d, %d in the order, %d of %d texts", round, entries, archive.count, ordered,
				named, texts)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The earlier release reads the recent entries, allowlist and revocations, and leaves the archive as it is. A peer that
// it enters again keeps its data of the archive.
func TestEarlierReleaseKeepsTheArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openSmall(t, path, 20, 1000)
	for i := range 100 {
		p := testPeer(t, i)
		p.Binds, p.Session = true, true
		book.Add(p)
	}
	if err := book.Allow(testKey(t, 200)); err != nil {
		t.Fatal(err)
	}
	again, allowed := testPeer(t, 1), testKey(t, 2)
	if _, archived := book.entries.archive.get(again.ID); !archived {
		t.Fatal("the peer is not in the archive")
	}
	recent := len(book.entries.recent)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	peers, keys, _ := releasedBook(t, path)
	if len(peers) != recent || len(keys) != 1 {
		t.Errorf("the earlier release reads %d entries and %d keys, want %d and 1", len(peers), len(keys), recent)
	}
	writeEarlier(t, path, releasedPeer{
		ID: again.ID, Name: "new", PublicKey: again.PublicKey, AddedAt: time.Now(), LastSeen: time.Now(),
	}, string(allowed[:]))
	book = openSmall(t, path, 20, 1000)
	got, _ := book.Get(again.ID)
	if book.Len() != 100 || got.Name != "new" || !got.AddedAt.Equal(again.AddedAt) || !got.Binds || !got.Session {
		t.Errorf("%d entries, the peer is %+v", book.Len(), got)
	}
	if _, archived := book.entries.archive.get(allowed.NodeID()); archived {
		t.Error("an allowed peer is in the archive, where it can be evicted")
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	checkNotTwice(t, path)
}

// writeEarlier writes an entry and an allowed key as an earlier release does.
func writeEarlier(t *testing.T, path string, peer releasedPeer, key string) {
	t.Helper()
	data, err := json.Marshal(peer)
	if err != nil {
		t.Fatal(err)
	}
	updateFile(t, path, func(tx *bolt.Tx) error {
		if err := tx.Bucket(bucketAllowed).Put([]byte(key), nil); err != nil {
			return err
		}
		return tx.Bucket(bucketPeers).Put([]byte(peer.ID), data)
	})
}

func checkNotTwice(t *testing.T, path string) {
	t.Helper()
	book := openSmall(t, path, 20, 1000)
	if len(book.List()) != book.Len() || book.Len() != 100 {
		t.Errorf("%d listed of %d, want 100", len(book.List()), book.Len())
	}
	for id := range book.entries.recent {
		if _, archived := book.entries.archive.get(id); archived {
			t.Errorf("%s is in both tiers", id)
		}
	}
}

// Any one page of an archive zeroed: either it was of no use, or it is noticed at the start.
func TestArchiveRefusesDamage(t *testing.T) {
	book, path := writtenSmall(t, 100)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page, noticed := os.Getpagesize(), 0
	for at := 2 * page; at+page <= len(good); at += page {
		data := append([]byte{}, good...)
		clear(data[at : at+page])
		spoilt := filepath.Join(t.TempDir(), "peers.db")
		if err := os.WriteFile(spoilt, data, 0o600); err != nil {
			t.Fatal(err)
		}
		book, err := Open(spoilt, KnownPeers(1000), small(20))
		if err != nil {
			noticed++
			continue
		}
		if n := len(book.List()); n != 100 {
			t.Errorf("page %d zeroed: opened with %d entries", at/page, n)
		}
		_ = book.Close()
	}
	if noticed < 5 {
		t.Errorf("%d pages noticed: nothing was tested", noticed)
	}
}

// A key or value in the order of eviction that no release writes is noticed at the start.
func TestArchiveRefusesAMalformedOrder(t *testing.T) {
	book, path := writtenSmall(t, 100)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	key := (&aged{seen: noon, id: "peer"}).orderKey()
	for name, row := range map[string]struct{ key, size []byte }{
		"no ID": {key[:1+timeBytes], []byte{0, 1}}, "a size of one byte": {key, []byte{1}},
		"a size of three bytes": {key, []byte{0, 0, 1}},
	} {
		updateFile(t, path, func(tx *bolt.Tx) error { return tx.Bucket(bucketOrder).Put(row.key, row.size) })
		if book, err := Open(path, KnownPeers(1000), small(20)); err == nil {
			t.Errorf("%s: opened", name)
			_ = book.Close()
		}
		updateFile(t, path, func(tx *bolt.Tx) error { return tx.Bucket(bucketOrder).Delete(row.key) })
	}
	openSmall(t, path, 20, 1000)
}

// An entry on disk that is damaged, or that of another peer, is reported at its lookup, and the peer counts as unknown.
func TestArchiveReportsFailedReads(t *testing.T) {
	book, _ := writtenSmall(t, 100)
	var reported error
	book.Serve(func(string) bool { return false }, func(err error) { reported = err })
	id := testPeer(t, 1).ID
	for _, data := range []string{"{", `{"id":"another"}`} {
		reported = nil
		if err := book.entries.archive.db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket(bucketArchive).Put([]byte(id), []byte(data))
		}); err != nil {
			t.Fatal(err)
		}
		if _, known := book.Get(id); known || !containsText(reported, ErrRead.Error()) {
			t.Errorf("%s: known %v, reported %v", data, known, reported)
		}
	}
}
