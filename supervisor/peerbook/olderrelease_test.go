package peerbook

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// updateFile changes a book's file as another release does.
func updateFile(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
}

// writeReleased writes a book's file as the release before aliases and suspensions: four buckets.
func writeReleased(t *testing.T, path string, peer releasedPeer) {
	t.Helper()
	data, err := json.Marshal(peer)
	if err != nil {
		t.Fatal(err)
	}
	allowed, revoked := testKey(t, 1), testKey(t, 3)
	updateFile(t, path, func(tx *bolt.Tx) error {
		for _, row := range []struct{ bucket, key, value string }{
			{"peers", peer.ID, string(data)},
			{"allowed", string(allowed[:]), ""},
			{"revoked", string(revoked[:]), ""},
			{"state", "auth", "allowlist"},
		} {
			bucket, err := tx.CreateBucketIfNotExists([]byte(row.bucket))
			if err != nil {
				return err
			}
			if err := bucket.Put([]byte(row.key), []byte(row.value)); err != nil {
				return err
			}
		}
		return nil
	})
}

// A book of the release before aliases and suspensions opens with all it holds. What this release adds survives a
// restart, and the earlier release reads the book with its entries, allowlist and revocations.
func TestBooksOpenAcrossReleases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	old := testPeer(t, 1)
	writeReleased(t, path, releasedPeer{
		ID: old.ID, Name: old.Name, PublicKey: old.PublicKey, Address: old.Address, Role: old.Role, Persistent: true,
	})
	book := openBook(t, path)
	got, known := book.Get(old.ID)
	if !known || got.Name != old.Name || got.PublicKey != old.PublicKey || got.Address != old.Address || !got.Persistent {
		t.Errorf("the entry is %+v", got)
	}
	if !book.Allowed(testKey(t, 1)) || !book.Revoked(testKey(t, 3)) || book.AuthMode() != AuthAllowlist {
		t.Errorf("allowlist, revocations or mode %v are lost", book.AuthMode())
	}
	if book.Alias(old.ID) != "" || len(book.Suspended(time.Now())) != 0 {
		t.Error("the book has an alias or a suspension")
	}
	until := time.Now().Add(time.Hour)
	if err := book.SetAlias(old.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := book.Suspend(old.ID, until); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	peers, allowed, revoked := releasedBook(t, path)
	if p := peers[old.ID]; len(peers) != 1 || p.Name != old.Name || p.PublicKey != old.PublicKey || !p.Persistent ||
		len(allowed) != 1 || len(revoked) != 1 {
		t.Errorf("the earlier release reads %+v, %d allowed and %d revoked", peers, len(allowed), len(revoked))
	}
	book = openBook(t, path)
	if book.Alias(old.ID) != "mine" || !book.SuspendedUntil(old.ID, time.Now()).Equal(until) {
		t.Errorf("after a restart: alias %q, suspended until %v", book.Alias(old.ID),
			book.SuspendedUntil(old.ID, time.Now()))
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
}
