package cluster

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

var (
	errHomeLost   = errors.New("the member that holds the peer was lost")
	errHomeSilent = errors.New("the member that holds the peer does not answer")
	errResultLost = errors.New("the result was lost between members")
	errLeaving    = errors.New("this member leaves the cluster")
)

// forwarder exchanges messages to peers with the other members, beside the engine's actor: each pair of members has its
// own state and lock.
//
//	Forward ──▶ outward: next batch ──m.<home>.fwd──▶ inward: ClusterLocal.Deliver
//	  done  ◀── results            ◀──m.<from>.ack──  results of the entries, and the entries that wait
type forwarder struct {
	engine *Engine
	local  supervisor.ClusterLocal // set by Join

	mu     sync.RWMutex
	closed bool
	pairs  map[string]*pair   // by name of the other member
	moved  map[string]*string // by peer: the member to which this one has granted it, for lostAfter
}

// pair is the state about one other member.
type pair struct {
	out *outward
	in  *inward

	past uint64 // start of the member whose results do not count; 0: none; guarded by forwarder.mu
}

func newForwarder(e *Engine) *forwarder {
	return &forwarder{engine: e, pairs: make(map[string]*pair), moved: make(map[string]*string)}
}

// with returns the state about a member, or nil after close.
func (f *forwarder) with(name string) *pair {
	f.mu.RLock()
	p := f.pairs[name]
	f.mu.RUnlock()
	if p != nil {
		return p
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p = f.pairs[name]; p == nil && !f.closed && len(f.pairs) < maxMembers {
		p = &pair{out: newOutward(f, name), in: newInward(f, name)}
		f.pairs[name] = p
	}
	return p
}

// known returns the state about a member that has been in touch, or nil.
func (f *forwarder) known(name string) *pair {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.pairs[name]
}

// lost ends the messages in flight to a lost member.
func (f *forwarder) lost(name string) {
	if p := f.known(name); p != nil {
		p.out.lose(errHomeLost)
	}
}

// restarted ends the messages in flight to and from the earlier start of a member.
func (f *forwarder) restarted(name string, boot uint64) {
	if p := f.known(name); p != nil {
		p.in.end(boot)
		p.out.lose(errHomeLost)
	}
}

// ignore ignores the results of an earlier start of a member, which may be another process with its name. 0: of none.
func (f *forwarder) ignore(name string, boot uint64) {
	if p := f.with(name); p != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		p.past = boot
	}
}

// answersOf returns the state about the sender of results, or nil if they do not count.
func (f *forwarder) answersOf(from head) *pair {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if p := f.pairs[from.from]; p != nil && p.past != from.boot {
		return p
	}
	return nil
}

// forget removes a member that has left. The messages in flight to it end with its last acks, or after silentAfter.
func (f *forwarder) forget(name string) {
	p := f.known(name)
	if p == nil {
		return
	}
	p.in.end(0)
	p.out.abandonNext()
	time.AfterFunc(lostAfter, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.pairs[name] == p && !slices.Contains(f.engine.directory.living(""), name) {
			delete(f.pairs, name)
		}
	})
}

// close ends all messages in flight. Nothing is forwarded or delivered from then on.
func (f *forwarder) close() {
	f.mu.Lock()
	pairs := f.pairs
	f.closed, f.pairs = true, nil
	f.mu.Unlock()
	for _, p := range pairs {
		p.in.end(0)
		p.out.lose(errLeaving)
	}
}

// granted records that this member has granted a peer to another one, whose claim is not in the directory yet.
func (f *forwarder) granted(peer, to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved[peer] = &to
	time.AfterFunc(lostAfter, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.moved[peer] == &to { // no later grant
			delete(f.moved, peer)
		}
	})
}

// hint returns the other member that probably holds a peer, or an empty name.
func (f *forwarder) hint(peer string) string {
	if home, _ := f.engine.Home(peer); home != "" && home != f.engine.opts.Name {
		return home
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if to := f.moved[peer]; to != nil {
		return *to
	}
	return ""
}

// onForwarded handles a message of the subject m.<name>.fwd.
func (f *forwarder) onForwarded(body []byte) {
	receive(f.engine, body, decodeForwarded, func(in *received) {
		if in.from != f.engine.opts.Name {
			if p := f.with(in.from); p != nil {
				p.in.receive(in)
				return
			}
		}
		f.engine.refused()
	})
}

// onAck handles a message of the subject m.<name>.ack.
func (f *forwarder) onAck(body []byte) {
	receive(f.engine, body, decodeAck, func(a *ack) {
		if p := f.answersOf(a.head); p != nil && a.to == f.engine.opts.Boot {
			p.out.onAck(a)
			return
		}
		f.engine.refused()
	})
}
