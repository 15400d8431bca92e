// Package membus is an in-memory cluster.Bus with delays, losses and cuts, for tests on virtual time.
package membus

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
)

// Net connects the buses of several members. Safe for concurrent use.
type Net struct {
	mu     sync.Mutex
	random *rand.Rand
	delay  [2]time.Duration // minimum and maximum
	loss   float64          // share of lost messages
	drop   string           // part of the subjects whose messages are lost; empty: none
	cuts   map[path]bool
	last   map[path]time.Time         // arrival of the last message; messages arrive in order
	subs   map[string][]*subscription // by subject
}

// path is a direction between two members.
type path struct{ from, to string }

type subscription struct {
	owner  *Bus
	handle func(cluster.Delivery)

	mu      sync.Mutex // one call at a time
	waiting []func()
	busy    bool
}

// New returns a network. The seed determines its delays and losses.
func New(seed uint64) *Net {
	return &Net{
		random: rand.New(rand.NewPCG(seed, 0)), cuts: make(map[path]bool), last: make(map[path]time.Time),
		subs: make(map[string][]*subscription),
	}
}

// Delay sets the minimum and the maximum delay of messages sent from now on.
func (n *Net) Delay(minimum, maximum time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = [2]time.Duration{minimum, maximum}
}

// Lose sets the share of messages that are lost from now on.
func (n *Net) Lose(share float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss = share
}

// Drop loses the messages published from now on whose subject contains part. An empty part ends that.
func (n *Net) Drop(part string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop = part
}

// Cut ends or restores the link from one member to another, in this direction. Messages that were sent before arrive.
func (n *Net) Cut(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[path{from, to}] = cut
}

// CutBoth ends or restores the link between two members, in both directions.
func (n *Net) CutBoth(a, b string, cut bool) {
	n.Cut(a, b, cut)
	n.Cut(b, a, cut)
}

// Bus returns the bus of a member.
func (n *Net) Bus(name string) *Bus { return &Bus{net: n, name: name} }

// Bus is the access of one member. It implements cluster.Bus.
type Bus struct {
	net  *Net
	name string

	// Guarded by net.mu.
	dead            bool
	frozen          bool
	unsent, arrived []func() // messages from and to a frozen member, in order
}

var _ cluster.Bus = (*Bus)(nil)

// Kill ends the member's process: nothing is sent or received any more.
func (b *Bus) Kill() {
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	b.dead = true
}

// Freeze stops the member's exchange or continues it: messages from and to a frozen member wait for its end.
func (b *Bus) Freeze(frozen bool) {
	b.net.mu.Lock()
	b.frozen = frozen
	var arrived []func()
	if !frozen {
		for _, send := range b.unsent {
			send()
		}
		arrived, b.unsent, b.arrived = b.arrived, nil, nil
	}
	b.net.mu.Unlock()
	for _, arrive := range arrived {
		arrive()
	}
}

// Subscribe implements cluster.Bus.
func (b *Bus) Subscribe(subject string, handle func(cluster.Delivery)) (cancel func(), err error) {
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	s := &subscription{owner: b, handle: handle}
	b.net.subs[subject] = append(b.net.subs[subject], s)
	return func() { b.net.cancel(subject, s) }, nil
}

func (n *Net) cancel(subject string, s *subscription) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, other := range n.subs[subject] {
		if other == s {
			n.subs[subject] = append(n.subs[subject][:i:i], n.subs[subject][i+1:]...)
		}
	}
}

// maxBody is the longest body in bytes. Publish does not check it.
const maxBody = 8 << 20

// MaxBody implements cluster.Bus.
func (*Bus) MaxBody() int { return maxBody }

// Publish implements cluster.Bus.
func (b *Bus) Publish(subject string, body []byte) error {
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	if b.net.drop != "" && strings.Contains(subject, b.net.drop) {
		return nil
	}
	for _, s := range b.net.subs[subject] {
		own := bytes.Clone(body)
		b.net.send(b, s, func() { s.handle(cluster.Delivery{Body: own}) })
	}
	return nil
}

// Request implements cluster.Bus.
func (b *Bus) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	if err := b.ask(subject, body, answer); err != nil {
		return nil, err
	}
	select {
	case body := <-answer:
		return body, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask sends a request to one subscriber. The error is ErrNoResponders if there is none.
func (b *Bus) ask(subject string, body []byte, answer chan<- []byte) error {
	b.net.mu.Lock()
	defer b.net.mu.Unlock()
	missing := cluster.ErrNoResponders
	for _, s := range b.net.subs[subject] {
		if s.owner.dead {
			continue
		}
		if b.net.cuts[path{s.owner.name, b.name}] {
			missing = nil // no answer arrives, and a silent cut is not noticed
			continue
		}
		back := &subscription{owner: b}
		respond := func(body []byte) {
			b.net.mu.Lock()
			defer b.net.mu.Unlock()
			b.net.send(s.owner, back, func() { answer <- body })
		}
		b.net.send(b, s, func() { s.handle(cluster.Delivery{Body: body, Respond: respond}) })
		return nil
	}
	return missing
}

// send runs arrive at a subscriber after the delay of the link, unless the message is lost. n.mu is held.
func (n *Net) send(from *Bus, to *subscription, arrive func()) {
	if from.frozen && from != to.owner {
		from.unsent = append(from.unsent, func() { n.send(from, to, arrive) })
		return
	}
	direction := path{from.name, to.owner.name}
	if from.dead || to.owner.dead || n.cuts[direction] || from != to.owner && n.random.Float64() < n.loss {
		return
	}
	at := time.Now().Add(n.delay[0])
	if spread := n.delay[1] - n.delay[0]; spread > 0 {
		at = at.Add(time.Duration(n.random.Int64N(int64(spread))))
	}
	if last := n.last[direction]; !at.After(last) {
		at = last.Add(1)
	}
	n.last[direction] = at
	time.AfterFunc(time.Until(at), func() { n.arrive(to, arrive) })
}

func (n *Net) arrive(to *subscription, handle func()) {
	n.mu.Lock()
	dead := to.owner.dead
	if to.owner.frozen {
		to.owner.arrived = append(to.owner.arrived, func() { n.arrive(to, handle) })
		dead = true
	}
	n.mu.Unlock()
	if !dead {
		to.run(handle)
	}
}

// run calls handle after the handlers of earlier calls, one at a time.
func (s *subscription) run(handle func()) {
	s.mu.Lock()
	s.waiting = append(s.waiting, handle)
	if s.busy {
		s.mu.Unlock()
		return
	}
	s.busy = true
	for len(s.waiting) > 0 {
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
		next()
		s.mu.Lock()
	}
	s.busy = false
	s.mu.Unlock()
}

// HealAll restores every link.
func (n *Net) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cuts)
}
