package actors

import (
	"slices"
	"sync/atomic"
	"time"
)

// dropEvery is the least time between two Dropped events of one connection and reason.
const dropEvery = time.Second

// maxDroppedWaiting is how many Dropped events of one connection may wait for its handlers. Further drops are added up
// until one is taken.
const maxDroppedWaiting = 8

// Dropped says how many messages of a verified peer were dropped for one reason since the last event of that reason.
type Dropped struct {
	Reason Counter
	Count  int // 1 or more

	waiting *atomic.Int32 // decremented when the event is taken from the queue
}

// dropTally adds up the drops of one connection. It is owned by the connection's actor, except for waiting.
type dropTally struct {
	reasons []dropCount // few: the counters of drops
	timer   *time.Timer // nil: nothing is pending
	waiting atomic.Int32
}

// dropCount is the part of a tally for one reason.
type dropCount struct {
	reason  Counter
	pending int
	told    time.Time
}

// add counts one drop.
func (t *dropTally) add(reason Counter) {
	i := slices.IndexFunc(t.reasons, func(c dropCount) bool { return c.reason == reason })
	if i < 0 {
		i = len(t.reasons)
		t.reasons = append(t.reasons, dropCount{reason: reason})
	}
	t.reasons[i].pending++
}

// take returns the events that are due at now, all that is pending if last is set, and how long until the next is due;
// 0: nothing is pending.
func (t *dropTally) take(now time.Time, last bool) (due []*Dropped, next time.Duration) {
	for i := range t.reasons {
		c := &t.reasons[i]
		if c.pending == 0 {
			continue
		}
		left := dropEvery - now.Sub(c.told)
		if !c.told.IsZero() && left > 0 && !last {
			next = sooner(next, left)
			continue
		}
		if t.waiting.Load() >= maxDroppedWaiting && !last {
			next = sooner(next, dropEvery)
			continue
		}
		t.waiting.Add(1)
		due = append(due, &Dropped{Reason: c.reason, Count: c.pending, waiting: &t.waiting})
		c.pending, c.told = 0, now
	}
	return due, next
}

// sooner returns the smaller duration; 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// reportDrop has a drop of a verified peer reported, at most once per second for each reason.
func (p *Peer) reportDrop(reason Counter) {
	if !p.proof.strength.Verified() || p.delivery == nil {
		return
	}
	if p.drops == nil {
		p.drops = &dropTally{}
	}
	p.drops.add(reason)
	if p.drops.timer == nil {
		p.tellDrops(false)
	}
}

// tellDrops queues the events that are due and sets the timer for the rest. last: the connection ends.
func (p *Peer) tellDrops(last bool) {
	if p.drops == nil {
		return
	}
	if p.drops.timer != nil {
		p.drops.timer.Stop()
		p.drops.timer = nil
	}
	due, next := p.drops.take(time.Now(), last)
	for _, event := range due {
		p.delivery.Event(event)
	}
	if next > 0 {
		p.drops.timer = time.AfterFunc(next, func() { p.handle.tell(&dropsDue{}) })
	}
}
