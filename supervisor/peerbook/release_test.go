package peerbook

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/Snider/go-p2p/crypto"
)

// releasedPeer is the entry of the release before sessions, field by field. It must not change.
type releasedPeer struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	PublicKey  string          `json:"publicKey"`
	Address    string          `json:"address"`
	Role       crypto.NodeRole `json:"role"`
	AddedAt    time.Time       `json:"addedAt"`
	LastSeen   time.Time       `json:"lastSeen"`
	Persistent bool            `json:"persistent"`
	NamedAt    time.Time       `json:"namedAt,omitzero"`
	Addresses  []string        `json:"addresses,omitzero"`
	Features   []string        `json:"features,omitzero"`
	Binds      bool            `json:"binds,omitempty"`
}

// releasedBook reads a book's file as the release before sessions does: it fails for an entry that it cannot decode, an
// entry under another ID, and a key of a wrong size, and skips buckets and fields that it does not know.
func releasedBook(t *testing.T, path string) (peers map[string]releasedPeer, allowed, revoked []crypto.PublicKey) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	peers = make(map[string]releasedPeer)
	keys := func(into *[]crypto.PublicKey) func(k, _ []byte) error {
		return func(k, _ []byte) error {
			*into = append(*into, crypto.PublicKey(k)) // panics for another size
			return nil
		}
	}
	read := map[string]func(k, v []byte) error{
		"allowed": keys(&allowed), "revoked": keys(&revoked),
		"peers": func(k, v []byte) error {
			var p releasedPeer
			if err := json.Unmarshal(v, &p); err != nil || p.ID != string(k) || len(v) > 8<<10 {
				t.Errorf("entry %s: %v", v, err)
			}
			peers[p.ID] = p
			return nil
		},
	}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bolt.Bucket) error {
			if each := read[string(name)]; each != nil {
				return bucket.ForEach(each)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return peers, allowed, revoked
}

// A pin survives a restart. The release before sessions opens the book, ignores the pin, and keeps entries, allowlist
// and revocations.
func TestPinIsStoredAndIgnoredByTheReleaseBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	pinned, plain := testPeer(t, 1), testPeer(t, 2)
	pinned.Binds, pinned.Session, pinned.Features = true, true, NewTextList("single-connection", "session/1")
	book.Add(pinned)
	book.Add(plain)
	if err := book.Allow(testKey(t, 1)); err != nil {
		t.Fatal(err)
	}
	if err := book.Revoke(testKey(t, 3)); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	peers, allowed, revoked := releasedBook(t, path)
	got := peers[pinned.ID]
	if len(peers) != 2 || got.PublicKey != pinned.PublicKey || !got.Binds || len(got.Features) != 2 {
		t.Errorf("the release before reads %+v", peers)
	}
	if len(allowed) != 1 || allowed[0] != testKey(t, 1) || len(revoked) != 1 || revoked[0] != testKey(t, 3) {
		t.Errorf("the release before reads %d allowed and %d revoked keys, want 1 and 1", len(allowed), len(revoked))
	}
	book = openBook(t, path)
	for want, p := range map[bool]Peer{true: pinned, false: plain} {
		if got, known := book.Get(p.ID); !known || got.Session != want {
			t.Errorf("%s after a restart: %+v, want a pin: %v", p.ID, got, want)
		}
	}
}

// An entry without a pin is written as before, so that most entries are the same in both releases.
func TestPinIsOmittedWhenUnset(t *testing.T) {
	p := testPeer(t, 1)
	before, err := json.Marshal(p)
	if err != nil || strings.Contains(string(before), "session") {
		t.Fatalf("%s, %v", before, err)
	}
	p.Session, p.Binds, p.Features = true, true, NewTextList("session/1")
	p.ForgetProtocol()
	if after, err := json.Marshal(p); err != nil || string(after) != string(before) {
		t.Errorf("%s, %v; want %s", after, err, before)
	}
}
