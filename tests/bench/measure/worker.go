package measure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// args are the arguments of all calls to a worker. Each call uses some.
type args struct {
	System   string  `json:"system,omitempty"`
	Address  string  `json:"address,omitempty"`
	Known    int     `json:"known,omitempty"`    // peers in the peer book
	From     int     `json:"from,omitempty"`     // index of the first peer of the flock
	N        int     `json:"n,omitempty"`        // number of messages, peers or IDs
	Size     int     `json:"size,omitempty"`     // payload bytes
	Parallel int     `json:"parallel,omitempty"` // number of parallel dials, broadcasts or connections
	Rate     float64 `json:"rate,omitempty"`     // messages per second
	Seconds  float64 `json:"seconds,omitempty"`
	Session  bool    `json:"session,omitempty"` // the flock offers sessions
}

// figures are the results of a call, by name.
type figures map[string]float64

// worker is one end: a node with at most one link, or a flock.
type worker struct {
	node  systems.Node
	link  systems.Link
	flock *systems.Flock
	dir   string
	did   string // calls so far, for the name of a profile
}

// Work answers calls until the parent process ends.
func Work() {
	w := &worker{}
	stop := profile()
	defer w.close()
	defer func() { stop(w.did) }()
	process.Serve(w.handle)
}

func (w *worker) close() {
	if w.flock != nil {
		w.flock.Close()
	}
	if w.node != nil {
		w.node.Close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}

func (w *worker) handle(call string, raw json.RawMessage) (any, error) {
	var a args
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	if a.System != "" || call == "broadcast" {
		w.did += call + " " + a.System + " "
	}
	switch call {
	case "listen":
		return w.listen(a)
	case "dial":
		return nil, w.dial(a)
	case "stream":
		began := systems.Now()
		return figures{"began": float64(began)}, w.link.Stream(a.N, a.Size)
	case "arm":
		w.node.Tally().Arm(a.N)
		return nil, nil
	case "await":
		at, err := w.node.Tally().Await(time.Minute)
		return figures{"at": float64(at)}, err
	case "count":
		return figures{"count": float64(w.node.Tally().Count())}, nil
	case "ask":
		return w.ask(a)
	case "usage":
		return process.Measure()
	case "settle":
		if err := w.settle(); err != nil {
			return nil, err
		}
		heapProfile(fmt.Sprint(w.node.Peers(), "-peers"))
		return process.Measure()
	case "await peers":
		return nil, w.awaitPeers(a.N, a.Known)
	case "broadcast":
		return w.broadcast(a)
	case "flock", "connect", "speak", "marks", "frames":
		return w.herd(call, a)
	case "codec":
		return codecCosts(a)
	case "dedup":
		return dedupCosts(a)
	case "making":
		return makingCosts(a)
	}
	return nil, fmt.Errorf("no such call")
}

// settle ends the work that would otherwise follow within a second: the book is written, and unused memory is returned.
func (w *worker) settle() error {
	if book, ok := w.node.(interface{ SyncBook() error }); ok {
		if err := book.SyncBook(); err != nil {
			return err
		}
	}
	process.Settle()
	return nil
}

// listen creates a node with a peer book on disk and starts its listener.
func (w *worker) listen(a args) (string, error) {
	var err error
	if w.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return "", err
	}
	if w.node, err = systems.New(a.System, systems.Options{Known: a.Known, Dir: w.dir}); err != nil {
		return "", err
	}
	return w.node.Listen()
}

func (w *worker) dial(a args) (err error) {
	if w.node, err = systems.New(a.System, systems.Options{}); err != nil {
		return err
	}
	w.link, err = w.node.Dial(a.Address)
	return err
}

// ask measures a.N round trips.
func (w *worker) ask(a args) (figures, error) {
	times := make([]float64, 0, a.N)
	for range a.N {
		began := time.Now()
		if err := w.link.Ask(a.Size); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began).Seconds())
	}
	slices.Sort(times)
	return figures{"p50": times[len(times)/2], "p99": times[len(times)*99/100]}, nil
}

// awaitPeers waits until n peers are connected and, if the system has a peer book and known is not negative, until the
// book holds known+n peers.
func (w *worker) awaitPeers(n, known int) error {
	book, hasBook := w.node.(interface{ Known() int })
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		if w.node.Peers() < n {
			continue
		}
		if !hasBook || known < 0 || book.Known() >= known+n {
			return nil
		}
	}
	return fmt.Errorf("%d of %d peers connected", w.node.Peers(), n)
}

func (w *worker) herd(call string, a args) (any, error) {
	if call == "flock" {
		var err error
		w.flock, err = systems.NewFlock(a.Address, a.N, systems.Counting{Session: a.Session, Size: a.Size})
		return nil, err
	}
	if w.flock == nil {
		return nil, errors.New("there is no flock")
	}
	switch call {
	case "connect":
		took, err := w.flock.Connect(a.From, a.N, a.Parallel)
		return figures{"seconds": took.Seconds()}, err
	case "speak":
		took, err := w.flock.Speak(a.Parallel, a.N, a.Size, a.Rate)
		return figures{"seconds": took.Seconds()}, err
	case "marks":
		return w.sendMarks(a.N)
	default:
		return figures{"frames": float64(w.flock.Messages())}, nil
	}
}
