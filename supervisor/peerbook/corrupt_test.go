package peerbook

import (
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestUnreadableEntryFailsNoOther damages one entry on disk: the others can be listed, found and changed, and a new
// entry takes its place without a trace of the old one.
func TestUnreadableEntryFailsNoOther(t *testing.T) {
	book, path := writtenSmall(t, 300)
	damaged, other := testPeer(t, 1), testPeer(t, 2)
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	updateFile(t, path, func(tx *bolt.Tx) error {
		archived := tx.Bucket(bucketArchive)
		if archived.Get([]byte(damaged.ID)) == nil || archived.Get([]byte(other.ID)) == nil {
			t.Fatal("the peers are not in the archive")
		}
		return archived.Put([]byte(damaged.ID), []byte("{"))
	})
	book = openSmall(t, path, 20, 1000)
	var reported int
	book.entries.archive.fault = func(error) { reported++ }
	if list := book.List(); len(list) != 299 || reported != 1 {
		t.Errorf("%d entries, %d reports, want 299 and 1", len(list), reported)
	}
	if found := book.entries.archive.at(other.Address); len(found) == 0 {
		t.Error("no peer is found by its address")
	}
	other.Name = "changed"
	book.Add(other)
	book.Add(damaged)
	if err := book.Sync(); err != nil {
		t.Errorf("a change of another entry: %v", err)
	}
	for n := range 300 { // all entries move to the disk and back
		book.Add(testPeer(t, n))
	}
	if err := book.Close(); err != nil {
		t.Error(err)
	}
	checkTiers(t, path, 0)
	book = openSmall(t, path, 20, 1000)
	if p, known := book.Get(damaged.ID); !known || p.Name != damaged.Name {
		t.Errorf("the damaged entry is known: %v, %+v", known, p)
	}
	if list := book.List(); len(list) != 300 || !slices.ContainsFunc(list, func(p Peer) bool { return p.ID == other.ID }) {
		t.Errorf("%d entries, want 300", len(list))
	}
}
