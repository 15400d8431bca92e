package supervisor

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// maxKnownPeers is the limit of the peer book.
const maxKnownPeers = 10_000

func openBook(t testing.TB, path string) *PeerRegistry {
	t.Helper()
	book, err := OpenPeerRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func containsText(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

// madeUpPeer is the entry of a peer that has never connected.
func madeUpPeer(i int) Peer {
	key := crypto.PublicKey(sha256.Sum256([]byte(fmt.Sprint("key", i))))
	return Peer{ID: key.NodeID(), PublicKey: key.String(), Address: "10.0.0.1:9091", LastSeen: time.Now()}
}

// A flood of new peers evicts peers that have gone, but no connected peer, however long ago its connection began. A
// connection that only claims to be a peer does not protect the entry of that peer.
func TestBookKeepsConnectedPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, stays, goes, absent := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3), startNode(t, n, 4)
		for _, peer := range []*testNode{stays, goes, absent} {
			peer.dial(node)
		}
		goes.stop()
		absent.stop()
		time.Sleep(time.Hour)
		ws := impostor(t, n, "10.0.0.5", node.addr, absent.Identity())
		defer ws.CloseNow()
		synctest.Wait()
		if c := node.GetConnection(absent.id()); c != nil {
			t.Fatalf("the impostor has a route: %v", c)
		}
		for i := range maxKnownPeers {
			node.book.Add(madeUpPeer(i))
		}
		for peer, want := range map[*testNode]bool{stays: true, goes: false, absent: false} {
			if _, known := node.book.Get(peer.id()); known != want {
				t.Errorf("%s is known %v, want %v", peer.addr, known, want)
			}
		}
	})
}
