package simulation

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/tests/memnet"
)

const (
	// calmAfter is how long a healed fault may still lose messages: 40 s until silence is detected, then the disconnects.
	calmAfter = time.Minute
	// quiet is the time that a healed mesh gets to reconnect: the silence limit, the longest backoff, a handshake and
	// the grace period of a duplicate. With disks, a crashed node rejects messages stamped before its restart, so peers
	// whose clocks are behind need up to 2*maxSkew more.
	quiet = 150 * time.Second
	// maxSkew limits the error of a clock in either direction, so that two clocks differ by less than the allowed 5 min.
	maxSkew = 90 * time.Second
	// maxSteps limits the steps of a seed.
	maxSteps = 16
)

// world is one run: a mesh, its network and the observations. The driver goroutine owns it; handlers and senders touch
// only the ledger, the node's gate and the fields under mu.
type world struct {
	seed   uint64
	loud   bool
	random *rand.Rand
	began  time.Time
	steps  []string

	sim    *p2ptest.Simulation
	net    *memnet.Network    // of sim
	system *actor.ActorSystem // of sim
	nodes  []*node
	wants  map[[2]int]bool // key {from, to}: node from keeps a connection to node to
	ledger *ledger
	work   sync.WaitGroup // senders
	roomy  bool           // MaxConns fits every pair and its duplicates
	disks  bool           // peer books are files
	relays int            // number of relays so far
	plain  bool           // all nodes have the default session mode

	// trouble holds for each pair, smaller index first, the time until which a fault may lose its messages.
	trouble map[[2]int]time.Time
	flipped map[[2]int]time.Time // by pair: the last time at which corrupted bytes were seen
	// relayed holds for each pair the time until which a relay may be on its path.
	relayed map[[2]int]time.Time

	mu        sync.Mutex
	found     []string
	unsettled time.Time            // until then connections may use a mode before a change; zero: settled
	graves    map[string]time.Time // by registry PID: when the registry ended
}

func newWorld(seed uint64, loud bool) *world {
	return &world{
		seed: seed, loud: loud, random: rand.New(rand.NewPCG(seed, 0x73696d)),
		wants: make(map[[2]int]bool), ledger: newLedger(),
		graves: make(map[string]time.Time), trouble: make(map[[2]int]time.Time), flipped: make(map[[2]int]time.Time),
		relayed: make(map[[2]int]time.Time),
	}
}

// fault records a broken invariant, at most 20 per run. Safe for concurrent use.
func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.found) < 20 {
		w.found = append(w.found, fmt.Sprintf("[%v] ", time.Since(w.began))+fmt.Sprintf(format, args...))
	}
}

func (w *world) faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found
}

func (w *world) log(i int) *slog.Logger {
	if !w.loud {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", i)
}

func (w *world) note(format string, args ...any) {
	text := fmt.Sprintf("[%v] ", time.Since(w.began)) + fmt.Sprintf(format, args...)
	w.steps = append(w.steps, text)
	if w.loud {
		fmt.Println(text)
	}
}

// live runs the mesh from start to end. It runs as the bubble's main goroutine.
func (w *world) live(t *testing.T) {
	w.simulate(p2ptest.New(t, w.seed))
	w.build()
	for range 4 + w.random.IntN(maxSteps-4) {
		w.note("%s", w.draw())
		w.pass(w.pause())
		w.check()
		if len(w.faults()) > 0 {
			break
		}
	}
	if len(w.faults()) == 0 {
		w.heal()
		w.pass(quiet)
		if w.disks {
			w.pass(2*maxSkew + calmAfter)
		}
		w.check()
		w.checkWhole()
	}
	w.end()
}

// simulate begins the run in a new simulation.
func (w *world) simulate(sim *p2ptest.Simulation) {
	w.began, w.sim, w.net, w.system = time.Now(), sim, sim.Network(), sim.ActorSystem()
	w.watchDeadLetters()
}

// pass advances virtual time by d and waits until every goroutine of the bubble is blocked.
func (w *world) pass(d time.Duration) { w.sim.Pass(d) }

// pause draws the time between two steps: mostly short, so that steps overlap, sometimes long enough for timeouts.
func (w *world) pause() time.Duration {
	switch w.random.IntN(10) {
	case 0, 1, 2:
		return time.Duration(w.random.IntN(20)) * time.Millisecond
	case 3, 4, 5:
		return time.Duration(w.random.IntN(1000)) * time.Millisecond
	case 6, 7:
		return time.Duration(w.random.IntN(12000)) * time.Millisecond
	case 8:
		return 16*time.Second + time.Duration(w.random.IntN(8000))*time.Millisecond
	default:
		return time.Duration(w.random.IntN(70)) * time.Second
	}
}

// build draws the mesh and starts it.
func (w *world) build() {
	count := 3 + min(w.random.IntN(6), w.random.IntN(6))
	if w.random.IntN(20) == 0 {
		count = 3 + w.random.IntN(10)
	}
	if w.random.IntN(200) == 0 {
		count = 20
	}
	w.roomy = w.random.IntN(5) > 0
	w.disks = w.random.IntN(4) == 0
	w.plain = w.random.IntN(4) == 0
	maxConns := 2*count + 4
	if !w.roomy {
		maxConns = 1 + w.random.IntN(count)
	}
	for i := range count {
		w.nodes = append(w.nodes, newNode(w, i, maxConns))
	}
	// A ring connects the mesh. More pairs are drawn at random, in both directions.
	for i := range count {
		w.wants[[2]int{i, (i + 1) % count}] = true
		for j := range count {
			if i != j && w.random.IntN(count+2) == 0 {
				w.wants[[2]int{i, j}] = true
			}
		}
	}
	latency := time.Duration(w.random.IntN(3)) * 20 * time.Millisecond
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			w.net.SetLatency(a.ip, b.ip, latency)
		}
	}
	w.note("%d nodes, MaxConns %d, latency %v, disks %t, dials %v", count, maxConns, latency, w.disks, w.dials())
	for _, n := range w.nodes {
		w.note("node %d: sessions %v, ML-KEM %t", n.index, n.mode(), n.pq)
	}
	for _, n := range w.nodes {
		n.start()
		w.pass(time.Duration(w.random.IntN(2)) * time.Millisecond)
	}
}

// dials lists the pairs {from, to} in which node from keeps a connection to node to, in order.
func (w *world) dials() (all [][2]int) {
	for i := range w.nodes {
		for j := range w.nodes {
			if w.wants[[2]int{i, j}] {
				all = append(all, [2]int{i, j})
			}
		}
	}
	return all
}

// watchDeadLetters reports messages to the actors of a stopped node. Stop must leave no timer of the node: a timer that
// fires later sends to a dead actor.
func (w *world) watchDeadLetters() {
	w.system.EventStream.Subscribe(func(e any) {
		letter, ok := e.(*actor.DeadLetterEvent)
		if !ok || letter.PID == nil {
			return
		}
		registry, _, _ := strings.Cut(letter.PID.Id, "/")
		w.mu.Lock()
		ended, known := w.graves[registry]
		w.mu.Unlock()
		if known && time.Since(ended) > 0 {
			w.fault("%T for %s, %v after the end of its node", letter.Message, letter.PID.Id, time.Since(ended))
		}
	})
}

// heal ends every network fault, opens all handlers and starts every stopped node.
func (w *world) heal() {
	w.note("heal everything")
	for i := range w.nodes {
		for j := range i {
			if !w.clean(w.nodes[i], w.nodes[j]) {
				w.upset(i, j, time.Now())
			}
		}
	}
	w.net.Heal()
	for _, n := range w.nodes {
		n.gate.open()
		if !n.up && (n.old == nil || w.random.IntN(2) == 0) {
			n.start()
		}
	}
}

// end stops the nodes one after the other and checks that none leaves a connection or a timer.
func (w *world) end() {
	w.net.Heal()
	for _, n := range w.nodes {
		n.gate.open()
	}
	for _, i := range w.random.Perm(len(w.nodes)) {
		if w.nodes[i].up {
			w.nodes[i].stop()
		}
		if w.nodes[i].old != nil {
			w.nodes[i].retire()
		}
	}
	if w.within(time.Minute, w.work.Wait) { // every Send has returned
		w.pass(11 * time.Minute)
		w.checkGone()
	}
}

// within runs do and waits for it, for at most limit. A later return is a fault; if do never returns, the bubble
// reports its goroutine as a deadlock.
func (w *world) within(limit time.Duration, do func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		w.fault("a call took more than %v", limit)
		return false
	}
}
