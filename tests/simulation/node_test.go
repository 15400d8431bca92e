package simulation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/nodetest"
)

// identities are made once: plain data, shared by all bubbles.
var identities = sync.OnceValue(func() (all []*crypto.NodeManager) {
	for i := range 20 {
		key := [32]byte{0: 8, 1: byte(7 * i), 2: byte(i + 1), 31: 64}
		keys, err := crypto.NodeManagerFromPrivateKey(key[:], fmt.Sprintf("node%d", i), crypto.RoleDual, time.Unix(1e9, 0))
		if err != nil {
			panic(err)
		}
		all = append(all, keys)
	}
	return all
})

// node is one member of the mesh through all its incarnations.
type node struct {
	w     *world
	index int
	ip    string
	id    string
	most  int // MaxConns
	gate  *gate
	skew  atomic.Int64 // nanoseconds that its clock is ahead
	fuse  atomic.Int32 // at which of the next readings by the registry the clock panics; 0: at none

	mu     sync.Mutex
	downs  map[string]supervisor.PeerDown // the last one of each peer
	downAt map[string]time.Time

	up        bool
	lives     []life // the present one last
	born      time.Time
	crashed   bool // the last incarnation ended without a goodbye
	host      *memnet.Host
	transport *supervisor.Transport
	running   *runclock.Clock
	book      *supervisor.PeerRegistry
	dir       string // of the book; empty: in memory
}

// life is how an incarnation began.
type life struct {
	disk    bool      // it had the disk of the one before
	crashed bool      // which had ended without a goodbye
	wall    time.Time // by its own clock
}

func newNode(w *world, index, most int) *node {
	n := &node{
		w: w, index: index, ip: fmt.Sprintf("10.0.0.%d", index+1), id: identities()[index].Identity().ID, most: most, gate: &gate{},
		downs: make(map[string]supervisor.PeerDown), downAt: make(map[string]time.Time),
	}
	if w.random.IntN(2) == 0 {
		n.skew.Store(w.random.Int64N(2*int64(maxSkew)) - int64(maxSkew))
	}
	return n
}

func (n *node) address() string { return fmt.Sprintf("%s:%d", n.ip, nodetest.Port) }

func (n *node) wall() time.Time { return time.Now().Add(time.Duration(n.skew.Load())) }

// clock is the wall clock that the node gets: a fault point in the middle of what its registry does.
func (n *node) clock() time.Time {
	if n.fuse.Load() > 0 && inRegistry() && n.fuse.Add(-1) == 0 {
		panic("the clock of the simulation panics")
	}
	return n.wall()
}

func inRegistry() bool {
	stack := make([]byte, 8<<10)
	return bytes.Contains(stack[:runtime.Stack(stack, false)], []byte("supervisor.(*registry).Receive"))
}

// start starts the next incarnation.
func (n *node) start() {
	var dials []string
	for _, pair := range n.w.dials() {
		if pair[0] == n.index {
			dials = append(dials, n.w.nodes[pair[1]].address())
		}
	}
	n.host = n.w.net.Attach(n.ip)
	n.openBook()
	n.running = &runclock.Clock{}
	began := life{disk: n.dir != "", crashed: n.crashed, wall: n.wall()}
	n.born, n.lives = time.Now(), append(n.lives, began)
	var err error
	n.transport, err = nodetest.New(nodetest.Options{
		Keys: identities()[n.index], Book: n.book, Host: n.host,
		Config: func(c *supervisor.TransportConfig) { c.MaxConns, c.Peers = n.most, dials },
		Options: []supervisor.Option{
			supervisor.WithClock(n.clock), supervisor.WithRandom(newRandomness(n.w.random)),
			supervisor.WithLogger(n.w.log(n.index)), supervisor.WithActorSystem(n.w.system),
			supervisor.WithRunningClock(n.running),
		},
		OnMessage: handler(n, slices.Clone(n.lives)), OnEvent: n.onEvent,
	})
	n.must(err)
	n.up = true
	if n.crashed && n.dir != "" {
		// It takes nothing that was stamped before its start, so peers whose clocks are behind are not heard for a while.
		n.w.upsetAll(n.index, time.Now().Add(2*maxSkew+calmAfter))
	}
}

func (n *node) must(err error) {
	if err != nil {
		n.w.fault("node %d: %v", n.index, err)
	}
}

// openBook opens the book on disk, or keeps the one in memory.
func (n *node) openBook() {
	switch {
	case n.w.disks:
		if n.dir == "" {
			n.dir = newDir()
		}
		book, err := supervisor.OpenPeerRegistry(filepath.Join(n.dir, "peers.db"))
		n.must(err)
		n.book = book
	case n.book == nil:
		n.book = supervisor.NewPeerRegistry()
	}
}

func newDir() string {
	parent := "/dev/shm" // a disk that forgets: what is tested is what was written, not what the medium keeps
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "simulation-")
	if err != nil {
		panic(err)
	}
	return dir
}

func (n *node) onEvent(e supervisor.Event) {
	if n.w.loud {
		n.w.log(n.index).Debug("event", "event", fmt.Sprintf("%T %+v", e, e))
	}
	if down, ok := e.(supervisor.PeerDown); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.downs[down.Peer], n.downAt[down.Peer] = down, time.Now()
	}
}

// stop ends the incarnation gracefully.
func (n *node) stop() {
	n.fuse.Store(0)
	began, farewell := time.Now(), n.w.farewell(n)
	n.w.within(time.Minute, func() { n.must(n.transport.Stop()) })
	// Stop returns within its ShutdownTimeout, and a moment for the sockets.
	if took := time.Since(began); took > 6*time.Second {
		n.w.fault("node %d: Stop took %v", n.index, took)
	}
	n.ended(false)
	farewell()
}

// crash ends the incarnation as kill -9 does, or as a power cut. With flushed the disk has everything, else what was
// written behind within the last second is lost.
func (n *node) crash(powerCut, flushed bool) {
	if flushed {
		n.must(n.book.Sync())
	}
	old := n.dir
	if old != "" {
		n.dir = newDir() // what the disk holds at this moment
		n.must(os.CopyFS(n.dir, os.DirFS(old)))
	} else if !flushed {
		n.book = nil
	}
	n.fuse.Store(0)
	n.host.Crash(powerCut)
	now, cancel := context.WithCancel(context.Background())
	cancel()
	n.w.within(time.Minute, func() { _ = n.transport.StopContext(now) }) // what it does now nobody sees
	n.ended(true)
	if old != "" {
		_ = os.RemoveAll(old)
	}
}

// ended looks at what an incarnation has left behind.
func (n *node) ended(crashed bool) {
	n.up, n.crashed = false, crashed
	if n.dir != "" {
		n.must(n.book.Close())
	}
	// After Stop no socket is left.
	if s := n.host.Sockets(); s != 0 {
		n.w.fault("node %d: %d sockets after Stop", n.index, s)
	}
	n.w.mu.Lock()
	n.w.graves[n.transport.PID().Id] = time.Now()
	n.w.mu.Unlock()
	n.w.upsetAll(n.index, time.Now().Add(calmAfter))
}

// alive reports whether a connection's actor lives.
func (w *world) alive(c *supervisor.PeerConnection) bool {
	_, ok := w.system.ProcessRegistry.GetLocal(c.PID().Id)
	return ok
}

// randomness is a stream of random bytes from a seed, safe for concurrent use.
type randomness struct {
	mu     sync.Mutex
	stream *rand.ChaCha8
}

func newRandomness(from *rand.Rand) io.Reader {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(from.Uint32())
	}
	return &randomness{stream: rand.NewChaCha8(seed)}
}

// Read implements io.Reader.
func (r *randomness) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream.Read(b)
}
