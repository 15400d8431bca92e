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

// writtenSmall returns a book that has n peers on disk and up to 20 of them in memory, and the path of its file.
func writtenSmall(t testing.TB, n int) (book *Book, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "peers.db")
	book = openSmall(t, path, 20, 1000)
	for i := range n {
		book.Add(testPeer(t, i))
	}
	if err := book.Sync(); err != nil {
		t.Fatal(err)
	}
	return book, path
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

// A book with an archive answers as a book in memory does after any sequence of calls.
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
