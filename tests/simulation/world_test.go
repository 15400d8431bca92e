package simulation

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
)

const (
	// calmAfter is how long the traces of a fault may last: silence is noticed after 40 s, and then there are goodbyes.
	calmAfter = time.Minute
	// quiet is how long a healed mesh gets to become whole: the silence limit, the longest backoff, a handshake and the
	// grace of a duplicate. With disks a crashed node distrusts, for twice maxSkew, clocks that are behind.
	quiet = 150 * time.Second
	// maxSkew is how far a clock is off, either way, so that two clocks differ by less than the allowed five minutes.
	maxSkew = 90 * time.Second
	// mostSteps bounds the steps of a seed.
	mostSteps = 16
)

// world is one run: a mesh, its network, and what is known of it. The driver is its only goroutine; the rest is
// handlers and senders, which touch nothing but the ledger and the node's gate.
type world struct {
	seed   uint64
	loud   bool
	random *rand.Rand
	began  time.Time
	steps  []string

	net    *memnet.Network
	system *actor.ActorSystem
	nodes  []*node
	wants  map[[2]int]bool // from keeps a connection to
	ledger *ledger
	work   sync.WaitGroup // senders
	roomy  bool           // MaxConns has room for every pair and its duplicates
	disks  bool           // peer books are files

	// When a fault that can lose messages was last at work between two nodes, smaller index first.
	trouble map[[2]int]time.Time
	flipped map[[2]int]time.Time // likewise, for corrupted bytes

	mu     sync.Mutex
	found  []string
	graves map[string]time.Time // when the registry of this PID had ended
}

func newWorld(seed uint64, loud bool) *world {
	return &world{
		seed: seed, loud: loud, random: rand.New(rand.NewPCG(seed, 0x73696d)),
		wants: make(map[[2]int]bool), ledger: newLedger(),
		graves: make(map[string]time.Time), trouble: make(map[[2]int]time.Time), flipped: make(map[[2]int]time.Time),
	}
}

// fault notes a broken invariant. Safe for concurrent use.
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

// live runs the whole life of the mesh. It runs as the bubble's main goroutine.
func (w *world) live() {
	w.began = time.Now()
	w.build()
	for range 4 + w.random.IntN(mostSteps-4) {
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

// pass lets virtual time go by and waits until nothing moves.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// pause is the time between two steps: mostly short, so that steps meet, sometimes long enough for timeouts.
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
	w.net = memnet.New(w.seed)
	w.system = newSystem()
	w.watchLetters()
	count := 3 + min(w.random.IntN(6), w.random.IntN(6))
	if w.random.IntN(20) == 0 {
		count = 3 + w.random.IntN(10)
	}
	if w.random.IntN(200) == 0 {
		count = 20
	}
	w.roomy = w.random.IntN(5) > 0
	w.disks = w.random.IntN(4) == 0
	most := 2*count + 4
	if !w.roomy {
		most = 1 + w.random.IntN(count)
	}
	for i := range count {
		w.nodes = append(w.nodes, newNode(w, i, most))
	}
	// A ring holds the mesh together; more pairs by chance, and half of all pairs dial from both sides.
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
	w.note("%d nodes, MaxConns %d, latency %v, disks %t, dials %v", count, most, latency, w.disks, w.dials())
	for _, n := range w.nodes {
		n.start()
		w.pass(time.Duration(w.random.IntN(2)) * time.Millisecond)
	}
}

// newSystem makes the actor system of a world: one for all its nodes, since making one costs as much as a small mesh.
func newSystem() *actor.ActorSystem {
	silent := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	return actor.NewActorSystem(actor.WithLoggerFactory(silent))
}

// dials lists who keeps a connection to whom, in order.
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

// watchLetters watches for messages to the actors of nodes that have ended. After Stop no timer of theirs is left: one
// that fires would write to an actor that is gone.
func (w *world) watchLetters() {
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
			w.fault("%T for %s, %v after its node had ended", letter.Message, letter.PID.Id, time.Since(ended))
		}
	})
}

func pairOf(i, j int) [2]int { return [2]int{min(i, j), max(i, j)} }

// upset notes that messages between two nodes may be lost until a time.
func (w *world) upset(i, j int, until time.Time) {
	if key := pairOf(i, j); until.After(w.trouble[key]) {
		w.trouble[key] = until
	}
}

// upsetAll is upset for every pair of one node.
func (w *world) upsetAll(i int, until time.Time) {
	for j := range w.nodes {
		if j != i {
			w.upset(i, j, until)
		}
	}
}

// heal ends every fault, clocks and handlers included, and brings every node back.
func (w *world) heal() {
	w.note("heal everything")
	for i := range w.nodes {
		for j := range i {
			if !w.net.Clean(w.nodes[i].ip, w.nodes[j].ip) {
				w.upset(i, j, time.Now())
			}
		}
	}
	w.net.Heal()
	for _, n := range w.nodes {
		n.gate.open()
		if !n.up {
			n.start()
		}
	}
}

// end stops every node, one after the other, and checks that nothing is left of it.
func (w *world) end() {
	w.net.Heal()
	for _, n := range w.nodes {
		n.gate.open()
	}
	for _, i := range w.random.Perm(len(w.nodes)) {
		if w.nodes[i].up {
			w.nodes[i].stop()
		}
	}
	if w.within(time.Minute, w.work.Wait) { // every Send has returned
		w.pass(11 * time.Minute)
		w.checkGone()
	}
}

// within waits for something that must not take long. What does anyway is left running, and the bubble complains.
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
		w.fault("something took more than %v", limit)
		return false
	}
}
