// Package bench puts load on a running node, or on a pair of nodes in this process, and measures rates, latencies and
// drops.
package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Limits of Options.
const (
	MinSize        = 64 // bytes of a payload
	MaxConnections = 1000
)

// Options describe one load. Size, Connections and Duration must be above 0.
type Options struct {
	Target      string        // address of a running node; empty: a pair on the loopback interface
	Size        int           // bytes of a message's payload
	Rate        float64       // messages a second on all connections together; 0: no limit
	Connections int           // each from a node with an identity of its own
	Duration    time.Duration // of the load, without connecting and draining
	Limited     bool          // keep the rate limit of the pair on

	// Counters returns the counters of Target; nil: the drops of Target are unknown.
	Counters func(context.Context) (map[string]uint64, error)
	Progress func(Progress) // called once a second; nil: not called
}

// Progress is the progress of a load.
type Progress struct {
	Elapsed, Of time.Duration
	Sent        uint64
	Rate        float64 // messages a second since the last call
}

// Result is the result of a load.
type Result struct {
	Target      string  `json:"target"` // "" for a pair in this process
	Size        int     `json:"size"`   // bytes of a payload
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`

	Sent             uint64            `json:"sent"`      // handed to the operating system
	Delivered        *uint64           `json:"delivered"` // to handlers; null for a target
	SentPerSecond    float64           `json:"sentPerSecond"`
	PayloadPerSecond float64           `json:"payloadBytesPerSecond"`
	LatencyKind      string            `json:"latencyKind"` // "one way" from Send to handler, or "round trip" of pings
	Latency          *Percentiles      `json:"latency"`     // null if nothing was measured
	Drops            map[string]uint64 `json:"drops"`       // at the receiver, by counter; null if unknown
	SendErrors       map[string]uint64 `json:"sendErrors"`  // by error text
	CPUSeconds       float64           `json:"cpuSeconds"`  // of this process, both sides of a pair
	CPUPerMessage    float64           `json:"cpuMicrosPerMessage"`
	HeapBytes        uint64            `json:"heapBytes"`
	MaxResidentBytes uint64            `json:"maxResidentBytes"`
	ProbesUnanswered uint64            `json:"probesUnanswered"` // pings without an answer
}

// drain limits the wait for the last messages after the load.
const drain = 5 * time.Second

// load is one run.
type load struct {
	Options
	target  *target
	sources []*source

	sent       atomic.Uint64
	delivered  atomic.Uint64
	unanswered atomic.Uint64
	latency    histogram

	mu     sync.Mutex
	errors map[string]uint64
}

// Run runs a load. If ctx ends first, Run returns the result so far and the error of ctx.
func Run(ctx context.Context, o Options) (Result, error) {
	l := &load{Options: o, errors: make(map[string]uint64)}
	defer l.stop()
	if err := l.connect(ctx); err != nil {
		return Result{}, err
	}
	before, err := l.target.counters(ctx)
	if err != nil {
		return Result{}, err
	}
	used, start := usage(), time.Now()
	l.send(ctx)
	elapsed := time.Since(start)
	l.awaitLast(ctx, before)
	r := l.result(elapsed, usage().cpu-used.cpu)
	after, err := l.target.counters(context.WithoutCancel(ctx))
	if err != nil {
		return r, err
	}
	r.Drops = drops(before, after)
	return r, ctx.Err()
}

// send runs all sources for Duration.
func (l *load) send(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.Duration)
	defer cancel()
	var work sync.WaitGroup
	for _, s := range l.sources {
		s.start(ctx, &work)
	}
	if l.Progress != nil {
		work.Go(func() { l.watch(ctx) })
	}
	work.Wait()
}

func (l *load) watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	start, last, sent := time.Now(), time.Now(), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			total := l.sent.Load()
			l.Progress(Progress{
				Elapsed: now.Sub(start), Of: l.Duration, Sent: total,
				Rate: float64(total-sent) / now.Sub(last).Seconds(),
			})
			last, sent = now, total
		}
	}
}

// awaitLast blocks until every sent message is delivered or counted as dropped, or drain has passed.
func (l *load) awaitLast(ctx context.Context, before map[string]uint64) {
	if l.target.node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		lost := uint64(0)
		for _, n := range drops(before, l.target.node.Counters()) {
			lost += n
		}
		if l.delivered.Load()+lost >= l.sent.Load() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *load) result(elapsed, cpu time.Duration) Result {
	r := Result{
		Target: l.Target, Size: l.Size, Connections: l.Connections, Seconds: elapsed.Seconds(), Sent: l.sent.Load(),
		LatencyKind: "round trip", Latency: l.latency.percentiles(), SendErrors: l.errors, CPUSeconds: cpu.Seconds(),
		MaxResidentBytes: usage().resident, HeapBytes: heap(), ProbesUnanswered: l.unanswered.Load(),
	}
	if l.target.node != nil {
		delivered := l.delivered.Load()
		r.LatencyKind, r.Delivered = "one way", &delivered
	}
	r.SentPerSecond = float64(r.Sent) / elapsed.Seconds()
	r.PayloadPerSecond = r.SentPerSecond * float64(l.Size)
	if r.Sent > 0 {
		r.CPUPerMessage = float64(cpu.Microseconds()) / float64(r.Sent)
	}
	return r
}

// fail counts the error of a message that was not sent.
func (l *load) fail(err error) {
	var about *supervisor.PeerError
	if errors.As(err, &about) {
		err = about.Err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors[err.Error()]++
}

// dropCounters returns the counters of messages that a receiver drops.
func dropCounters() []string {
	return []string{"framesMalformed", "messagesRateLimited", "messagesDuplicate", "messagesStale", "messagesRefused"}
}

func drops(before, after map[string]uint64) map[string]uint64 {
	if after == nil {
		return nil
	}
	dropped := make(map[string]uint64)
	for _, name := range dropCounters() {
		dropped[name] = after[name] - before[name]
	}
	return dropped
}
