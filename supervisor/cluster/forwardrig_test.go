package cluster_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// relayed is a message that a member got for one of its peers.
type relayed struct {
	supervisor.Forwarding
	done func(supervisor.Forwarded)
}

// inbox is the part of a process that gets messages of other members.
type inbox struct {
	lock       sync.Mutex
	deliver    func(d relayed) (cancel func()) // nil: the peer gets the message at once, if it is connected
	broadcast  func(role crypto.NodeRole) supervisor.MemberBroadcast
	asked      int      // calls of Deliver
	delivered  []string // IDs of messages, in order
	broadcasts []string
	gatherings map[*actors.Gathering]int // messages by the gathering of their batch
}

// Deliver implements supervisor.ClusterLocal.
func (p *process) Deliver(f supervisor.Forwarding, done func(supervisor.Forwarded)) (cancel func()) {
	p.mu.Lock()
	connected := p.open[f.Peer]
	p.mu.Unlock()
	p.lock.Lock()
	deliver := p.deliver
	p.asked++
	if p.gatherings == nil {
		p.gatherings = map[*actors.Gathering]int{}
	}
	p.gatherings[f.Gathering]++
	if connected {
		p.delivered = append(p.delivered, f.Message.ID)
	}
	p.lock.Unlock()
	switch {
	case !connected:
		done(supervisor.Forwarded{Err: &supervisor.PeerError{Peer: f.Peer, Err: supervisor.ErrNotConnected}})
		return nil
	case deliver != nil:
		return deliver(relayed{f, done})
	default:
		done(supervisor.Forwarded{})
		return nil
	}
}

// DeliverBroadcast implements supervisor.ClusterLocal.
func (p *process) DeliverBroadcast(
	msg *wire.Message, role crypto.NodeRole, done func(supervisor.MemberBroadcast),
) {
	p.lock.Lock()
	p.broadcasts = append(p.broadcasts, msg.ID)
	broadcast := p.broadcast
	p.lock.Unlock()
	if broadcast != nil {
		done(broadcast(role))
	} else {
		done(castResult(1, nil))
	}
}

func (p *process) received() []string {
	p.lock.Lock()
	defer p.lock.Unlock()
	return append([]string(nil), p.delivered...)
}

// outcome is the result of one call of Forward.
type outcome struct {
	supervisor.Forwarded
	calls int
	took  time.Duration
}

// forwards counts the results of calls of Forward.
type forwards struct {
	afterSign time.Duration // further time of a message that reached its peer's member, see check

	mu      sync.Mutex
	results map[string]*outcome // by ID of the message
}

// forward calls Forward of a member with a new message.
func (f *forwards) forward(p *process, peer string, mode supervisor.ForwardMode) (id string, cancel func(), err error) {
	msg, err := wire.NewMessage("test", "node", peer, "content")
	if err != nil {
		panic(err)
	}
	began, result := time.Now(), &outcome{}
	f.mu.Lock()
	if f.results == nil {
		f.results = map[string]*outcome{}
	}
	f.results[msg.ID] = result
	f.mu.Unlock()
	cancel, err = p.engine.Forward(supervisor.Forwarding{Peer: peer, Message: msg, Mode: mode},
		func(done supervisor.Forwarded) {
			f.mu.Lock()
			defer f.mu.Unlock()
			result.calls++
			result.Forwarded, result.took = done, time.Since(began)
		})
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		result.calls++
		result.Err = err
	}
	return msg.ID, cancel, err
}

func (f *forwards) of(id string) outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *f.results[id]
}

// check verifies the promise of Forward for all calls: one result each, ErrUnconfirmed within a time, no message
// delivered twice, and every message delivered once or not at all as its result says.
func (f *forwards) check(t *testing.T, within time.Duration, delivered map[string]int) (counts map[string]int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	counts = map[string]int{}
	for id, r := range f.results {
		times := delivered[id]
		name := fmt.Sprint(r.Err)
		switch {
		case r.calls != 1:
			t.Errorf("%d results for one message, the last %v", r.calls, r.Err)
		case r.Err == nil && times != 1:
			t.Errorf("a message without an error was delivered %d times", times)
		case errors.Is(r.Err, supervisor.ErrUnconfirmed):
			name = "unconfirmed"
			if r.took > within+f.afterSign*time.Duration(times) {
				t.Errorf("%v after %v", r.Err, r.took)
			}
		case r.Err != nil && times != 0:
			t.Errorf("a message with the error %v was delivered", r.Err)
		}
		if times > 1 {
			t.Errorf("a message was delivered %d times", times)
		}
		counts[name]++
	}
	return counts
}

// deliveries counts the deliveries of each message in the members.
func deliveries(members ...*process) map[string]int {
	counts := map[string]int{}
	for _, p := range members {
		for _, id := range p.received() {
			counts[id]++
		}
	}
	return counts
}
