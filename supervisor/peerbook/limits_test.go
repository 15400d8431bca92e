package peerbook

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	bolt "go.etcd.io/bbolt"
)

func TestPeerIsCutToItsLimits(t *testing.T) {
	long := Peer{
		ID: "id", Name: strings.Repeat("é", 200) + "\x1b[31m", PublicKey: strings.Repeat("k", 45), Role: "boss",
		Address:   strings.Repeat("a", 513),
		Addresses: NewTextList("a:1", strings.Repeat("b", 513), "c:1", "d:1", "e:1", "f:1"),
		Features:  NewTextList(append(slices.Repeat([]string{"f"}, 20), "odd\x1b")...),
	}
	want := Peer{
		ID: "id", Name: strings.Repeat("é", 127),
		Addresses: NewTextList("a:1", "c:1", "d:1", "e:1"), Features: NewTextList(slices.Repeat([]string{"f"}, 16)...),
	}
	if changed := long.cut(); !changed || long != want {
		t.Errorf("changed %v, got %+v", changed, long)
	}
	for _, honest := range []Peer{{}, testPeer(t, 1), want} {
		if before := honest; honest.cut() || honest != before {
			t.Errorf("%+v was cut to %+v", before, honest)
		}
	}
	book := New()
	book.Add(Peer{ID: strings.Repeat("i", 65)})
	book.Add(Peer{})
	if n := book.Len(); n != 0 {
		t.Errorf("%d entries with impossible ids, want 0", n)
	}
	book.Add(Peer{ID: "a"})
	book.Update("a", func(p *Peer) { p.Name = strings.Repeat("n", 7000) })
	if p, _ := book.Get("a"); len(p.Name) != 255 {
		t.Errorf("a name of %d bytes after Update, want 255", len(p.Name))
	}
}

// The largest entries that there can be fill the book's bytes before its number of entries.
func TestBookKeepsItsBytes(t *testing.T) {
	book := New()
	long := strings.Repeat("a", maxPeerAddress)
	for i := range DefaultKnownPeers {
		p := testPeer(t, i)
		p.Name = strings.Repeat("n", 255)
		p.Addresses = NewTextList(long, long, long, long)
		p.Features = NewTextList(slices.Repeat([]string{strings.Repeat("f", 64)}, 16)...)
		book.Add(p)
	}
	total := 0
	for _, p := range book.List() {
		total += p.bytes()
	}
	if total > maxBookBytes || total != book.entries.bytes || book.Len() < maxBookBytes/4400/2 {
		t.Errorf("%d entries of %d bytes, counted %d, want at most %d", book.Len(), total, book.entries.bytes, maxBookBytes)
	}
	for _, p := range book.List() {
		book.Remove(p.ID)
	}
	if book.entries.bytes != 0 {
		t.Errorf("an empty book of %d bytes", book.entries.bytes)
	}
}

// Made-up identities displace each other, and no peer that was dialled or has come back.
func TestBookEvictsVisitorsFirst(t *testing.T) {
	book := New()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3000 { // a third of them returned after an hour, a third was dialled, a third is kept connected
		p := testPeer(t, i)
		p.Address, p.AddedAt, p.LastSeen = "", begin, begin
		switch i % 3 {
		case 0:
			p.LastSeen = begin.Add(time.Hour)
		case 1:
			p.Address = "10.0.0.1:1"
		case 2:
			p.Persistent = true
		}
		book.Add(p)
	}
	for i := range 3 * DefaultKnownPeers {
		p := testPeer(t, 10_000+i)
		p.Address, p.AddedAt = "", begin.Add(2*time.Hour)
		p.LastSeen = p.AddedAt
		book.Add(p)
	}
	for i := range 3000 {
		if _, known := book.Get(testKey(t, i).NodeID()); !known {
			t.Fatalf("peer %d was evicted by identities that came once", i)
		}
	}
	if n := book.Len(); n > DefaultKnownPeers || n < DefaultKnownPeers*9/10 {
		t.Errorf("%d entries", n)
	}
}

// writeBook writes entries into a book's file as an earlier release did, which had no limits.
func writeBook(t *testing.T, path string, entries map[string]map[string]any, allow ...crypto.PublicKey) {
	t.Helper()
	book := openBook(t, path)
	if err := book.Allow(allow...); err != nil {
		t.Fatal(err)
	}
	err := book.disk.db.Update(func(tx *bolt.Tx) error {
		for id, entry := range entries {
			data, err := json.Marshal(entry)
			if err != nil {
				return err
			}
			if err := tx.Bucket(bucketPeers).Put([]byte(id), data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestBookOfAnEarlierReleaseIsCutOnLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	entries := make(map[string]map[string]any)
	entry := func(i, name int, persistent bool) string {
		p := testPeer(t, i)
		entries[p.ID] = map[string]any{
			"id": p.ID, "name": strings.Repeat("N", name), "publicKey": p.PublicKey, "address": "",
			"role":    strings.Repeat("R", name),
			"addedAt": p.AddedAt, "lastSeen": p.LastSeen, "persistent": persistent, "of a later release": true,
		}
		return p.ID
	}
	small, stranger := entry(1, 300, false), entry(2, 7000, false)
	kept, listed := entry(3, 7000, true), entry(4, 7000, false)
	writeBook(t, path, entries, testKey(t, 4))
	for range 2 { // the second time from what the first has written
		book := openBook(t, path)
		for id, want := range map[string]bool{small: true, stranger: false, kept: true, listed: true} {
			if p, known := book.Get(id); known != want || len(p.Name) > 255 || p.Role != "" {
				t.Errorf("%s: known %v, want %v; name of %d bytes, role %.20q", id, known, want, len(p.Name), p.Role)
			}
		}
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
		entries = nil
	}
	book := openBook(t, path)
	if n := book.OverLimits(); n != 0 {
		t.Errorf("%d entries beyond the limits in a book that was cut, want 0", n)
	}
}

// Large entries are left out undecoded, so that a book that strangers filled does not delay the start.
func TestLargeEntriesAreNotDecodedOnLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	entries := make(map[string]map[string]any)
	for i := range 5000 {
		p := testPeer(t, i)
		entries[p.ID] = map[string]any{
			"id": p.ID, "name": strings.Repeat("N", 7000), "publicKey": p.PublicKey, "role": strings.Repeat("R", 7000),
		}
	}
	writeBook(t, path, entries)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	book := openBook(t, path)
	runtime.ReadMemStats(&after)
	if book.Len() != 0 || book.OverLimits() != 5000 {
		t.Errorf("%d entries, %d beyond the limits, want none and 5000", book.Len(), book.OverLimits())
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 5000*7000 { // of 14,000 bytes of text in each
		t.Errorf("%d bytes allocated: large entries are decoded", took)
	}
}

func TestTextListIsAnArray(t *testing.T) {
	var p Peer
	if data, err := json.Marshal(p); err != nil || strings.Contains(string(data), "addresses") {
		t.Errorf("%s, %v", data, err)
	}
	p.Addresses = NewTextList("a:1", "", "b\n", "c:1")
	data, err := json.Marshal(p)
	if err != nil || !strings.Contains(string(data), `"addresses":["a:1","c:1"]`) {
		t.Errorf("%s, %v", data, err)
	}
	var again Peer
	if err := json.Unmarshal(data, &again); err != nil || again != p || fmt.Sprint(again.Addresses.All()) != "[a:1 c:1]" {
		t.Errorf("%+v, %v", again, err)
	}
}
