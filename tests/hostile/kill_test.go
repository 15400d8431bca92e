package hostile

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// order is one allow or revoke command.
type order struct {
	key       int
	allow     bool
	confirmed bool
}

// TestKillWhileWritingLosesNothingConfirmed kills the node with signal 9 at random moments, 20 times (200 in a full
// run), while commands change the allowlist and the persistent peers. Each time it starts again as the same node, with
// all confirmed changes. A change in progress is either in the book or not.
func TestKillWhileWritingLosesNothingConfirmed(t *testing.T) {
	t.Parallel()
	rounds := 20
	if full() {
		rounds = 200
	}
	const keys = 6
	home := nodetest.NewHome(t)
	ids := make([]*refpeer.Identity, keys)
	for i := range ids {
		ids[i] = identity(t, "listed")
	}
	kept, err := refpeer.Listen("127.0.0.1:0", refpeer.Options{Identity: identity(t, "kept")})
	must(t, err)
	t.Cleanup(kept.Close)

	state := make([]bool, keys) // keys that are allowed in the book
	first, connected, done := "", false, 0
	for range rounds {
		p := launch(t, home)
		if first == "" {
			first = p.ID()
		}
		if p.ID() != first {
			t.Fatalf("the node is %s after a kill, was %s", p.ID(), first)
		}
		orders, connects := killWhileOrdering(t, p, ids, kept.Addr())
		done += len(orders)
		connected = connected || connects
		requireBook(t, home, ids, orders, state, connected, kept.Addr())
	}
	t.Logf("%d kills, %d orders", rounds, done)
}

// killWhileOrdering changes the book with two loops of commands until the node is dead. It returns the orders in order,
// and whether a connect was confirmed.
func killWhileOrdering(
	t *testing.T, p *process, ids []*refpeer.Identity, address string,
) (orders []order, connected bool) {
	var dead atomic.Bool
	var work sync.WaitGroup
	work.Go(func() {
		for !dead.Load() {
			o := order{key: rand.IntN(len(ids)), allow: rand.IntN(2) == 0}
			verb := "revoke"
			if o.allow {
				verb = "allow"
			}
			code, _ := run(t, p.Home(), verb, ids[o.key].PublicKey)
			o.confirmed = code == 0
			orders = append(orders, o)
		}
	})
	work.Go(func() {
		for !dead.Load() {
			code, _ := run(t, p.Home(), "connect", address)
			connected = connected || code == 0
		}
	})
	timer := time.NewTimer(time.Duration(rand.IntN(80)) * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	p.Kill()
	dead.Store(true)
	work.Wait()
	return orders, connected
}

// requireBook requires that the book of a killed node holds the confirmed orders, and updates state from it.
func requireBook(
	t *testing.T, home string, ids []*refpeer.Identity, orders []order, state []bool, connected bool, address string,
) {
	t.Helper()
	book, err := supervisor.OpenPeerRegistry(bookOf(home))
	if err != nil {
		t.Fatalf("after a kill: %v", err)
	}
	defer book.Close()
	for i, id := range ids {
		key, err := crypto.ParsePublicKey(id.PublicKey)
		must(t, err)
		may := map[bool]bool{state[i]: true}
		for _, o := range orders {
			switch {
			case o.key != i:
			case o.confirmed:
				may = map[bool]bool{o.allow: true}
			default:
				may[o.allow] = true // the node may have written it before it was killed
			}
		}
		state[i] = book.Allowed(key)
		if !may[state[i]] {
			t.Errorf("key %d is allowed: %t, which no order has said", i, state[i])
		}
	}
	found := false
	for _, p := range book.List() {
		found = found || p.Persistent && p.Address == address
	}
	if connected && !found {
		t.Errorf("a confirmed connect is not in the book: %+v", book.List())
	}
}
