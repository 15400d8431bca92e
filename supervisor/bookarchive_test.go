package supervisor

import (
	"crypto/sha256"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A peer in the archive of the book is known when it connects, is in memory afterwards, and keeps the time at which it
// was added. The registry reads the archive on another goroutine.
func TestArchivedPeerIsKnownWhenItConnects(t *testing.T) {
	book, err := OpenPeerRegistry(filepath.Join(t.TempDir(), "peers.db"), KnownPeers(20_000))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	private := sha256.Sum256([]byte("archived"))
	keys, err := crypto.NodeManagerFromPrivateKey(private[:], "archived", crypto.RoleDual, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	id := keys.Identity().ID
	added := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	book.Add(Peer{
		ID: id, Name: "archived", PublicKey: keys.Identity().PublicKey, AddedAt: added, LastSeen: added, Binds: true,
		Session: true,
	})
	for i := range maxKnownPeers {
		book.Add(madeUpPeer(i))
	}
	if err := book.Sync(); err != nil {
		t.Fatal(err)
	}
	if book.Preload(id) == nil {
		t.Fatal("the peer is not in the archive")
	}
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.book = book })
		peer := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		peer.dial(node)
		synctest.Wait()
		got, known := node.book.Get(id)
		if !known || !got.AddedAt.Equal(added) || !got.LastSeen.After(added) || !got.Session {
			t.Errorf("the entry is %+v", got)
		}
		if book.Preload(id) != nil {
			t.Error("the entry was not moved into memory")
		}
		info, err := node.Peers(t.Context())
		if err != nil || len(info) != maxKnownPeers+1 {
			t.Errorf("%d peers listed (%v), want %d", len(info), err, maxKnownPeers+1)
		}
	})
}
