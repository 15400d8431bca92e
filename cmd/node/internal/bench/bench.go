// Package bench puts load on a node, one that runs or a pair of its own in this process, and measures what comes of it.
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

// Options are one load. All fields but Target, Rate, Limited, Counters and Progress must be above 0.
type Options struct {
	Target      string        // address of a running node; empty: a node of its own on the loopback
	Size        int           // bytes of a message's payload
	Rate        float64       // messages a second, all connections together; 0: as many as go
	Connections int           // each from a node with its own identity
	Duration    time.Duration // of the load, connecting and the wait for the last message not included
	Limited     bool          // the node of its own keeps its rate limit

	// Counters returns those of a running Target, where they can be had; nil: its drops are not known.
	Counters func(context.Context) (map[string]uint64, error)
	Progress func(Progress) // called about once a second; nil: nobody looks
}

// Progress is how far a load has come.
type Progress struct {
	Elapsed, Of time.Duration
	Sent        uint64
	Rate        float64 // messages a second, since the last
}

// Result is what a load came to.
type Result struct {
	Target      string  `json:"target"` // "" for a pair of its own
	Size        int     `json:"size"`   // bytes of a payload
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`

	Sent             uint64            `json:"sent"`      // handed to the operating system
	Delivered        *uint64           `json:"delivered"` // to handlers; null for a target
	SentPerSecond    float64           `json:"sentPerSecond"`
	PayloadPerSecond float64           `json:"payloadBytesPerSecond"`
	LatencyKind      string            `json:"latencyKind"` // "one way" from Send to handler, or "round trip" of pings
	Latency          *Percentiles      `json:"latency"`     // null when nothing was measured
	Drops            map[string]uint64 `json:"drops"`       // at the receiver, by counter; null when not known
	SendErrors       map[string]uint64 `json:"sendErrors"`  // by what Send said
	CPUSeconds       float64           `json:"cpuSeconds"`  // of this process: both sides of a pair
	CPUPerMessage    float64           `json:"cpuMicrosPerMessage"`
	HeapBytes        uint64            `json:"heapBytes"`
	MaxResidentBytes uint64            `json:"maxResidentBytes"`
	ProbesUnanswered uint64            `json:"probesUnanswered"` // pings of a target that nobody answered
}

// drain is how long the last messages may take after the load.
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

// Run puts the load on. When ctx ends the load does, too, and the result is of what there was; the error is then ctx's.
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
	l.settle(ctx, before)
	r := l.result(elapsed, usage().cpu-used.cpu)
	after, err := l.target.counters(context.WithoutCancel(ctx))
	if err != nil {
		return r, err
	}
	r.Drops = drops(before, after)
	return r, ctx.Err()
}

// send runs all sources for the duration.
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
			l.Progress(Progress{Elapsed: now.Sub(start), Of: l.Duration, Sent: total, Rate: float64(total-sent) / now.Sub(last).Seconds()})
			last, sent = now, total
		}
	}
}

// settle waits until every message that was sent is delivered or counted as dropped.
func (l *load) settle(ctx context.Context, before map[string]uint64) {
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

// fail notes why a message was not sent.
func (l *load) fail(err error) {
	var about *supervisor.PeerError
	if errors.As(err, &about) {
		err = about.Err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors[err.Error()]++
}

// dropCounters are the reasons for which a receiver drops what was sent.
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
