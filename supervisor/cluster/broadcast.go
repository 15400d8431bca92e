package cluster

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Causes for which a broadcast has missed a peer.
var (
	errMoved      = fmt.Errorf("%w: it has left its member during the broadcast", supervisor.ErrNotConnected)
	errHomeUnseen = fmt.Errorf("%w: its member was just lost", supervisor.ErrNotConnected)
)

// gathering merges the results of a broadcast of all members. Safe for concurrent use.
type gathering struct {
	engine *Engine
	began  time.Time
	done   func(supervisor.BroadcastResult)

	mu      sync.Mutex
	left    int // members without a result
	results []memberResult
}

// memberResult is the result of one member, or the error by which it is unknown.
type memberResult struct {
	member string
	supervisor.MemberBroadcast
	err error
}

// Broadcast implements supervisor.Cluster.
func (e *Engine) Broadcast(
	msg *wire.Message, role crypto.NodeRole, done func(supervisor.BroadcastResult),
) (here func(supervisor.MemberBroadcast)) {
	began := time.Now()
	names := e.directory.living(e.opts.Name)
	if len(role) > maxRole { // no peer has such a role
		names = nil
	}
	g := &gathering{engine: e, began: began, done: done, left: len(names) + 1}
	var form []byte
	var err error
	if len(names) > 0 {
		form, err = e.form(msg)
	}
	for _, name := range names {
		f := &flight{
			entry: entry{broadcast: true, mode: castNamed, role: role, form: form},
			sum: func(data []byte, err error) {
				result := memberResult{member: name, err: err}
				if err == nil {
					result.MemberBroadcast, result.err = decodeBroadcast(data)
				}
				g.add(result)
			},
		}
		sent := err
		if sent == nil {
			sent = e.forwarder.send(f, name)
		}
		if sent != nil {
			g.add(memberResult{member: name, err: sent})
		}
	}
	return func(sum supervisor.MemberBroadcast) { g.add(memberResult{member: e.opts.Name, MemberBroadcast: sum}) }
}

// add adds the result of one member, and reports the whole result after the last one.
func (g *gathering) add(result memberResult) {
	g.mu.Lock()
	g.results = append(g.results, result)
	g.left--
	last := g.left == 0
	g.mu.Unlock()
	if last {
		g.done(merge(g.results, g.engine.directory, g.engine.opts.Name, g.began))
	}
}

// merge returns the result of a broadcast that began at a time at the member self. Each peer that was connected then
// counts in Sent or is named in Failed, the latter once and only if no member names it as sent.
func merge(results []memberResult, d *directory, self string, began time.Time) (sum supervisor.BroadcastResult) {
	moving, failed := make(map[string]bool), make(map[string]bool)
	relied, asked := make(map[string]bool), make(map[string]bool)
	twice := 0 // peers to which two members have sent the message
	for i := range results {
		r := &results[i]
		asked[r.member] = true
		sum.Sent += min(r.Sent, math.MaxInt-sum.Sent)
		for _, peer := range r.Moving {
			if moving[peer] {
				twice++
			}
			moving[peer] = true
		}
		for _, home := range r.Relies {
			relied[home] = true
		}
		if r.member == self {
			sum.Refused = r.Refused
		}
	}
	sum.Sent = max(sum.Sent-twice, 0)
	fail := func(peer string, err error) {
		if !moving[peer] && !failed[peer] {
			failed[peer] = true
			sum.Failed = append(sum.Failed, supervisor.SendFailure{Peer: peer, Err: err})
		}
	}
	for i := range results {
		r := &results[i]
		for _, f := range r.Failed {
			fail(f.Peer, f.Err)
		}
		if r.err != nil {
			for _, peer := range d.heldSince(r.member, began) {
				fail(peer, r.err)
			}
		}
		for _, peer := range r.Gone {
			if d.missedMove(peer, r.member, began, relied[r.member]) {
				fail(peer, errMoved)
			}
		}
	}
	for home := range relied {
		if !asked[home] {
			for _, peer := range append(d.heldSince(home, began), d.movedSince(home, began)...) {
				fail(peer, errHomeUnseen)
			}
		}
	}
	return sum
}
