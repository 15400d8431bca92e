package simulation

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/memnet"
)

// identities returns 20 fixed identities, created once. They are plain data that all bubbles share.
var identities = sync.OnceValue(func() (all []*crypto.NodeManager) {
	for i := range 20 {
		name := fmt.Sprintf("node%d", i)
		keys, err := crypto.NodeManagerFromPrivateKey(privateKey(i), name, crypto.RoleDual, time.Unix(1e9, 0))
		if err != nil {
			panic(err)
		}
		all = append(all, keys)
	}
	return all
})

// privateKey returns the private key of a node.
func privateKey(i int) []byte { return []byte{0: 8, 1: byte(7 * i), 2: byte(i + 1), 31: 64} }

// node is one member of the mesh across all its incarnations.
type node struct {
	w     *world
	index int
	ip    string
	id    string
	gate  *gate

	maxConns int
	pq       bool         // offers ML-KEM-768, too
	skew     atomic.Int64 // nanoseconds by which the node's clock is ahead
	fuse     atomic.Int32 // number of clock readings by the registry until the clock panics; 0: never

	mu       sync.Mutex
	downs    map[string]supervisor.PeerDown // by peer: the last PeerDown
	downAt   map[string]time.Time
	moved    map[string]time.Time // by peer: the last PeerMoved
	warned   map[string]bool      // by peer: its pin was removed with a warning
	panicked time.Time            // the last panic of the registry

	// Guarded by w.mu.
	stances    []stance // session modes, the present one last
	life       int      // number of incarnations
	highest    uint64   // number of a connection of this incarnation
	shown      *supervisor.PeerRegistry
	serving    bool
	rolledBack bool      // it was a deployed node at some time
	since      time.Time // start of this incarnation
	floor      uint64    // connections up to this number may have been negotiated before the last change of a mode

	up        bool
	lives     []life // the current one last
	born      time.Time
	crashed   bool          // the last incarnation ended without a disconnect
	member    *p2ptest.Node // in the simulation
	host      *memnet.Host
	transport *supervisor.Transport
	old       *deployed                  // nil: not a deployed node now
	config    supervisor.TransportConfig // in force
	book      *supervisor.PeerRegistry
	dir       string // directory of the peer book; empty: in memory
}

// life records the start of an incarnation.
type life struct {
	disk    bool      // the peer book of the previous incarnation was on disk and is reused
	crashed bool      // the previous incarnation ended without a disconnect
	wall    time.Time // start, by the node's own clock
}

func newNode(w *world, index, maxConns int) *node {
	n := &node{
		w: w, index: index, id: identities()[index].Identity().ID,
		maxConns: maxConns, gate: &gate{},
		downs: make(map[string]supervisor.PeerDown), downAt: make(map[string]time.Time),
		moved: make(map[string]time.Time), warned: make(map[string]bool), pq: w.random.IntN(4) == 0,
	}
	if w.random.IntN(2) == 0 {
		n.skew.Store(w.random.Int64N(2*int64(maxSkew)) - int64(maxSkew))
	}
	n.setMode(w.drawMode())
	var err error
	n.member, err = w.sim.Add(fmt.Sprintf("node%d", index), n.program())
	n.must(err)
	n.ip = n.member.IP()
	return n
}

// program describes the node to the simulation.
func (n *node) program() p2ptest.Program {
	return p2ptest.Program{
		Keys: identities()[n.index],
		Options: []supervisor.Option{
			supervisor.WithClock(n.clock), supervisor.WithLogger(slog.New(warnings{n.w.log(n.index).Handler(), n})),
		},
		Book: func() *supervisor.PeerRegistry {
			n.openBook()
			return n.book
		},
		Config: func(c *supervisor.TransportConfig) {
			c.MaxConns, c.Peers, c.Session, c.SessionPQ = n.maxConns, n.dials(), n.mode(), n.pq
			n.config = *c
		},
		Setup: func(t *supervisor.Transport) {
			t.OnMessage(handler(n, slices.Clone(n.lives)))
			t.OnEvent(n.onEvent)
		},
	}
}

func (n *node) address() string { return n.member.Address() }

func (n *node) wall() time.Time { return time.Now().Add(time.Duration(n.skew.Load())) }

// clock is the wall clock of the node. It is also a fault point: it panics inside the registry when the fuse runs out.
func (n *node) clock() time.Time {
	if n.fuse.Load() > 0 && inRegistry() && n.fuse.Add(-1) == 0 {
		n.mu.Lock()
		n.panicked = time.Now()
		n.mu.Unlock()
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
	if n.old != nil {
		n.retire()
	}
	began := life{disk: n.dir != "", crashed: n.crashed, wall: n.wall()}
	n.born, n.lives = time.Now(), append(n.lives, began)
	n.w.mu.Lock()
	n.life, n.highest, n.floor = len(n.lives), 0, 0
	n.serving, n.since = true, time.Now()
	n.w.mu.Unlock()
	n.must(n.member.Start())
	n.host, n.transport, n.up = n.member.Host(), n.member.Transport, true
	if n.crashed && n.dir != "" {
		// The node rejects messages stamped before its start, so it ignores peers whose clocks are behind for a while.
		n.w.upsetAll(n.index, time.Now().Add(2*maxSkew+calmAfter))
	}
}

// dials returns the addresses that the node keeps a connection to.
func (n *node) dials() (addresses []string) {
	for _, pair := range n.w.dials() {
		if pair[0] == n.index {
			addresses = append(addresses, n.w.nodes[pair[1]].address())
		}
	}
	return addresses
}

func (n *node) must(err error) {
	if err != nil {
		n.w.fault("node %d: %v", n.index, err)
	}
}

// openBook opens the peer book on disk, or keeps the one in memory.
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
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.shown = n.book
}

func newDir() string {
	parent := "/dev/shm" // a RAM disk is enough: the test reads the written bytes back, and no medium fails
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
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e := e.(type) {
	case supervisor.PeerDown:
		n.downs[e.Peer], n.downAt[e.Peer] = e, time.Now()
	case supervisor.PeerMoved:
		n.moved[e.Peer] = time.Now()
	}
}

// stop ends the incarnation gracefully.
func (n *node) stop() {
	n.fuse.Store(0)
	n.leave()
	began, checkDisconnects := time.Now(), n.w.expectDisconnects(n)
	n.w.within(time.Minute, func() { n.must(n.member.Stop()) })
	// Stop returns within its ShutdownTimeout of 5 s, and up to 1 s for the sockets.
	if took := time.Since(began); took > 6*time.Second {
		n.w.fault("node %d: Stop took %v", n.index, took)
	}
	n.ended(false)
	checkDisconnects()
}

// crash ends the incarnation as kill -9 or a power cut does. With flushed, the disk holds all writes; without, the
// deferred writes of the last second are lost.
func (n *node) crash(powerCut, flushed bool) {
	if flushed {
		n.must(n.book.Sync())
	}
	old := n.dir
	if old != "" {
		n.dir = newDir() // a copy of the disk at this moment
		n.must(os.CopyFS(n.dir, os.DirFS(old)))
	} else if !flushed {
		n.book = nil
	}
	n.fuse.Store(0)
	n.leave()
	end := n.member.Kill
	if powerCut {
		end = n.member.PowerOff
	}
	n.w.within(time.Minute, end)
	n.ended(true)
	if old != "" {
		_ = os.RemoveAll(old)
	}
}

// leave records that the incarnation is about to end.
func (n *node) leave() {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.serving = false
}

// ended closes the peer book of an ended incarnation and checks that the incarnation left no socket.
func (n *node) ended(crashed bool) {
	n.up, n.crashed = false, crashed
	if n.dir != "" {
		n.must(n.book.Close())
	}
	// Stop closes every socket.
	if s := n.host.Sockets(); s != 0 {
		n.w.fault("node %d: %d sockets after Stop", n.index, s)
	}
	n.w.mu.Lock()
	n.w.graves[n.transport.PID().Id] = time.Now()
	n.w.mu.Unlock()
	n.w.upsetAll(n.index, time.Now().Add(calmAfter))
}

// alive reports whether the actor of a connection is running.
func (w *world) alive(c *supervisor.PeerConnection) bool {
	_, ok := w.system.ProcessRegistry.GetLocal(c.PID().Id)
	return ok
}
