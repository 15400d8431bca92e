package peerbook

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// testKey is a public key that is good in form.
func testKey(t testing.TB, i int) crypto.PublicKey {
	t.Helper()
	key := crypto.PublicKey(sha256.Sum256([]byte(fmt.Sprint("key", i))))
	key[31] &= 0x3f
	if _, err := crypto.ParsePublicKey(key.String()); err != nil {
		t.Fatal(err)
	}
	return key
}

func testPeer(t testing.TB, i int) Peer {
	key := testKey(t, i)
	at := time.Date(2026, 1, 2, 3, 4, i%60, 0, time.UTC)
	return Peer{
		ID: key.NodeID(), Name: fmt.Sprint("peer", i), PublicKey: key.String(), Address: "10.0.0.1:9091",
		Role: crypto.RoleWorker, AddedAt: at, LastSeen: at.Add(time.Duration(i) * time.Hour),
	}
}

func openBook(t testing.TB, path string) *Book {
	t.Helper()
	book, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func TestBookStoresPeers(t *testing.T) {
	book := New()
	one, two := testPeer(t, 1), testPeer(t, 2)
	book.Add(two)
	book.Add(one)
	again := one
	again.Name, again.AddedAt = "renamed", time.Now()
	book.Add(again)
	again.AddedAt = one.AddedAt
	if got, known := book.Get(one.ID); !known || got != again {
		t.Errorf("got %+v, want %+v with its first AddedAt", got, again)
	}
	list := book.List()
	if len(list) != 2 || !slices.IsSortedFunc(list, func(a, b Peer) int { return strings.Compare(a.ID, b.ID) }) {
		t.Errorf("list %+v, want 2 by ID", list)
	}
	if !book.Update(two.ID, func(p *Peer) { p.ID, p.Persistent = "changed", true }) {
		t.Error("a known peer was not updated")
	}
	if got, _ := book.Get(two.ID); !got.Persistent || got.ID != two.ID {
		t.Errorf("updated to %+v", got)
	}
	if book.Update("unknown", func(*Peer) { t.Error("called for an unknown peer") }) {
		t.Error("an unknown peer was updated")
	}
	if !book.Remove(one.ID) || book.Remove(one.ID) {
		t.Error("removing: known once, then unknown")
	}
	if _, known := book.Get(one.ID); known {
		t.Error("a removed peer is known")
	}
	list[0].Name = "changed outside"
	if got := book.List()[0].Name; got == "changed outside" {
		t.Error("the list is the book's own")
	}
}

func TestBookKeepsItsNumberOfEntries(t *testing.T) {
	book := New()
	for i := range DefaultKnownPeers {
		p := testPeer(t, i) // seen in this order
		p.Persistent = i == 0
		book.Add(p)
	}
	if err := book.Allow(testKey(t, 1)); err != nil {
		t.Fatal(err)
	}
	book.Add(testPeer(t, DefaultKnownPeers))
	known := func(i int) bool {
		_, known := book.Get(testKey(t, i).NodeID())
		return known
	}
	if n := len(book.List()); n != DefaultKnownPeers-DefaultKnownPeers/10+1 {
		t.Errorf("%d peers after the limit was reached", n)
	}
	if !known(0) || !known(1) || !known(DefaultKnownPeers) {
		t.Error("a peer that is kept connected, on the allowlist, or new was forgotten")
	}
	if known(2) || known(1001) || !known(1002) {
		t.Error("not the least recently seen tenth was forgotten")
	}
	for _, p := range book.List() {
		book.Update(p.ID, func(p *Peer) { p.Persistent = true })
	}
	for i := range DefaultKnownPeers/10 + 5 { // fill up again with peers that stay
		p := testPeer(t, 100_000+i)
		p.Persistent = true
		book.Add(p)
	}
	if n := len(book.List()); n != DefaultKnownPeers {
		t.Errorf("%d peers, want the limit of %d: no entry may be evicted", n, DefaultKnownPeers)
	}
}

func TestBookReopensAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "peers.db")
	book := openBook(t, path)
	if _, stored := book.StoredAuthMode(); stored {
		t.Error("an empty book has a stored mode")
	}
	peers := make(map[string]Peer)
	for i := range 20 {
		p := testPeer(t, i)
		book.Add(p)
		peers[p.ID] = p
	}
	book.Remove(testPeer(t, 3).ID)
	delete(peers, testPeer(t, 3).ID)
	for _, err := range []error{
		book.Allow(testKey(t, 1), testKey(t, 2)), book.Revoke(testKey(t, 2), testKey(t, 4)),
		book.SetAuthMode(AuthAllowlist), book.Close(), book.Close(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	if n := len(book.List()); n != len(peers) {
		t.Errorf("a closed book lists %d peers", n)
	}
	book.Add(testPeer(t, 50)) // does no harm

	book = openBook(t, path)
	if n := len(book.List()); n != len(peers) {
		t.Errorf("%d peers after reopening, want %d", n, len(peers))
	}
	for id, want := range peers {
		if got, _ := book.Get(id); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if mode, stored := book.StoredAuthMode(); mode != AuthAllowlist || !stored || book.AuthMode() != mode {
		t.Errorf("mode %v, stored %v", mode, stored)
	}
	if !book.Authorized(testKey(t, 1)) || book.Authorized(testKey(t, 2)) || book.Authorized(testKey(t, 4)) {
		t.Error("allowlist or revocations are others than before")
	}
}

func TestBookOpensOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	openBook(t, path)
	if _, err := Open(path); !errors.Is(err, ErrInUse) || !containsText(err, path) {
		t.Errorf("second opener: %v, want ErrInUse and the file's name", err)
	}
}

// Changes of entries are written once per second, in one transaction. An order of an operator is written at once, with
// the entries that are scheduled.
func TestBookWritesWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "peers.db")
		book := openBook(t, path)
		transactions := func(do func()) int {
			before := book.disk.txID(t)
			do()
			return book.disk.txID(t) - before
		}
		if n := transactions(func() {
			for i := range 500 {
				book.Add(testPeer(t, i))
				book.Update(testPeer(t, i).ID, func(p *Peer) { p.Name = "again" })
			}
			time.Sleep(time.Second - time.Nanosecond)
			synctest.Wait()
		}); n != 0 {
			t.Errorf("%d transactions before the second was over", n)
		}
		if n := transactions(func() {
			time.Sleep(time.Nanosecond)
			synctest.Wait()
		}); n != 1 {
			t.Errorf("%d transactions for 1000 changes, want 1", n)
		}
		if n := transactions(func() { time.Sleep(time.Hour); synctest.Wait() }); n != 0 {
			t.Errorf("%d transactions in an hour without a change", n)
		}
		book.Add(testPeer(t, 1000))
		if n := transactions(func() {
			if err := book.Allow(testKey(t, 7)); err != nil {
				t.Error(err)
			}
		}); n != 1 {
			t.Errorf("%d transactions for an order, want 1", n)
		}
		if n := transactions(func() { time.Sleep(time.Hour); synctest.Wait() }); n != 0 {
			t.Errorf("%d transactions after it, want none: it took the rest along", n)
		}
	})
}

// A failed write is reported. The order has no effect, and scheduled entries stay scheduled.
func TestBookReportsFailedWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	if err := book.disk.db.Close(); err != nil { // every write fails from now on
		t.Fatal(err)
	}
	book.Add(testPeer(t, 1))
	if err := book.Allow(testKey(t, 1)); err == nil || !containsText(err, path) {
		t.Errorf("Allow: %v, want an error that names the file", err)
	}
	if book.Allowed(testKey(t, 1)) {
		t.Error("allowed in spite of the error")
	}
	if err := book.SetAuthMode(AuthAllowlist); err == nil || book.AuthMode() != AuthOpen {
		t.Errorf("SetAuthMode: %v, mode %v", err, book.AuthMode())
	}
	book.mu.Lock()
	waiting := len(book.changed)
	book.mu.Unlock()
	if waiting != 1 {
		t.Errorf("%d changes wait for the next write, want 1", waiting)
	}
}
