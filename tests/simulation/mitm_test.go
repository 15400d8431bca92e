package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A relay on the path between two nodes. It holds no key.

// mitmKind is the action of a relay on each connection.
type mitmKind string

const (
	mitmPass        mitmKind = "changes nothing"
	mitmRename      mitmKind = "changes the name in the handshake"
	mitmStripBoth   mitmKind = "removes the session from both handshake messages"
	mitmStripOffer  mitmKind = "removes the session from the handshake"
	mitmStripAnswer mitmKind = "removes the session from the ack"
	mitmStripKey    mitmKind = "removes only the key of the offer"
	mitmStripAll    mitmKind = "removes session and features from both handshake messages"
	mitmReplay      mitmKind = "repeats a record"
	mitmDrop        mitmKind = "drops a record"
	mitmSwap        mitmKind = "swaps two records"
	mitmFlip        mitmKind = "flips a bit of a record"
	mitmCut         mitmKind = "cuts a byte off a record"
	mitmReflect     mitmKind = "sends a record back"
)

var mitmKinds = []mitmKind{
	mitmPass, mitmRename, mitmStripBoth, mitmStripOffer, mitmStripAnswer, mitmStripKey, mitmStripAll, mitmStripBoth,
	mitmStripAll, mitmReplay, mitmDrop, mitmSwap, mitmFlip, mitmCut, mitmReflect,
}

// noticed is the longest time until a node has closed a connection on which it has received proof of a relay.
const noticed = 5 * time.Second

// mitm is one relay. It serves connections until its context ends.
type mitm struct {
	w        *world
	kind     mitmKind
	host     *memnet.Host
	random   *rand.Rand // guarded by mu
	mu       sync.Mutex
	ctx      context.Context
	passages sync.WaitGroup
}

// stepRelay puts a relay on the path of two nodes for up to 45 s, for the dials of one of them or of both.
func (w *world) stepRelay() string {
	a, b := w.dialling()
	if a == nil || !w.clean(a, b) {
		return ""
	}
	kind := mitmKinds[w.random.IntN(len(mitmKinds))]
	both, cut := w.random.IntN(2) == 0, w.random.IntN(4) > 0
	life := time.Duration(5+w.random.IntN(40)) * time.Second
	w.intercept(a, b, kind, both, cut, life)
	w.chatter(a, b)
	return fmt.Sprintf("for %v a relay on the path from node %d to %d %s, both ways %t, old connections cut %t",
		life, a.index, b.index, kind, both, cut)
}

// dialling returns two random running nodes of which the first keeps a connection to the second, or nil.
func (w *world) dialling() (a, b *node) {
	all := w.dials()
	for _, k := range w.random.Perm(len(all)) {
		if a, b = w.nodes[all[k][0]], w.nodes[all[k][1]]; a.up && b.up {
			return a, b
		}
	}
	return nil, nil
}

// intercept starts a relay.
func (w *world) intercept(a, b *node, kind mitmKind, both, cut bool, life time.Duration) {
	w.relays++
	until := time.Now().Add(life)
	w.relayed[pairOf(a.index, b.index)] = until.Add(time.Second)
	w.upset(a.index, b.index, until.Add(calmAfter))
	ctx, cancel := context.WithDeadline(context.Background(), until)
	r := &mitm{
		w: w, kind: kind, ctx: ctx, host: w.net.Attach(fmt.Sprintf("10.0.8.%d", w.relays)),
		random: rand.New(rand.NewPCG(w.random.Uint64(), 1)),
	}
	for _, n := range []*node{a, b} { // a route that exists too early does so for a while
		latency := time.Duration(r.random.IntN(300)) * time.Millisecond
		w.net.SetLatency(r.host.IP(), n.ip, latency)
		w.net.SetLatency(n.ip, r.host.IP(), latency)
	}
	ln, err := r.host.Listen(p2ptest.Port)
	a.must(err)
	w.net.Divert(a.ip, b.ip, r.host.IP())
	if both {
		w.net.Divert(b.ip, a.ip, r.host.IP())
	}
	if cut {
		for _, link := range w.net.Links(a.ip, b.ip) {
			link.Cut()
		}
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		r.passages.Add(1)
		defer r.passages.Done()
		from, to := a, b
		if ip, _, _ := net.SplitHostPort(req.RemoteAddr); ip == b.ip {
			from, to = b, a
		}
		r.serve(rw, req, from, to)
	})}
	w.work.Go(func() { _ = server.Serve(ln) })
	w.work.Go(func() {
		<-ctx.Done()
		cancel()
		w.net.Divert(a.ip, b.ip, "")
		w.net.Divert(b.ip, a.ip, "")
		_ = server.Close()
		r.passages.Wait()
	})
}

// draw returns a random number below n. Safe for concurrent use.
func (r *mitm) draw(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.random.IntN(n)
}

// strips reports whether the relay changes the message of a handshake: first the initiator's, then the responder's.
func (k mitmKind) strips(first bool) bool {
	switch k {
	case mitmStripBoth, mitmStripAll:
		return true
	case mitmStripOffer, mitmStripKey, mitmRename:
		return first
	case mitmStripAnswer:
		return !first
	default:
		return false
	}
}

// tampers reports whether the relay damages records instead of handshakes.
func (k mitmKind) tampers() bool {
	return strings.Contains(string(k), "record") && k != mitmPass
}
