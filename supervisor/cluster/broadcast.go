package cluster

import (
	"encoding/binary"
	"sync"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// gathering merges the results of a broadcast of all other members. Safe for concurrent use.
type gathering struct {
	engine *Engine
	done   func(supervisor.BroadcastResult)

	mu   sync.Mutex
	left int // members without a result
	sum  supervisor.BroadcastResult
}

// Broadcast implements supervisor.Cluster. The result is never Refused.
func (e *Engine) Broadcast(msg *wire.Message, role crypto.NodeRole, done func(supervisor.BroadcastResult)) {
	names := e.forwarder.alive()
	if len(names) == 0 || len(role) > maxRole { // no peer has such a role
		done(supervisor.BroadcastResult{})
		return
	}
	form, err := e.form(msg)
	g := &gathering{engine: e, done: done, left: len(names)}
	for _, name := range names {
		f := &flight{
			entry: entry{broadcast: true, role: role, form: form},
			sum:   func(data []byte, err error) { g.add(name, data, err) },
		}
		sent := err
		if sent == nil {
			sent = e.forwarder.send(f, name)
		}
		if sent != nil {
			g.add(name, nil, sent)
		}
	}
}

// add merges the result of one member. If that member has not answered, its peers have failed.
func (g *gathering) add(name string, data []byte, err error) {
	var one supervisor.BroadcastResult
	if err == nil {
		one, err = decodeBroadcast(data)
	}
	if err != nil {
		for _, peer := range g.engine.directory.peersOf(name) {
			one.Failed = append(one.Failed, supervisor.SendFailure{Peer: peer, Err: err})
		}
	}
	g.mu.Lock()
	g.sum.Sent += one.Sent
	g.sum.Failed = append(g.sum.Failed, one.Failed...)
	g.left--
	last := g.left == 0
	g.mu.Unlock()
	if last {
		g.done(g.sum)
	}
}

// resultOfBroadcast returns the result of a broadcast to the peers of this member.
func resultOfBroadcast(sum supervisor.BroadcastResult) entryResult {
	if sum.Refused != nil {
		return failure(sum.Refused)
	}
	b := binary.AppendUvarint(nil, uint64(max(sum.Sent, 0)))
	for _, failed := range sum.Failed {
		code, text := encodeError(failed.Err)
		b = append(appendText(b, failed.Peer), byte(code))
		b = appendText(b, text)
	}
	return entryResult{data: b}
}

func decodeBroadcast(data []byte) (sum supervisor.BroadcastResult, err error) {
	r := reader{rest: data}
	sum.Sent = int(min(r.uvarint(), 1<<31-1))
	for !r.bad && len(r.rest) > 0 {
		peer := r.text(maxPeerID)
		err := decodeError(code(r.byte()), r.text(maxText))
		sum.Failed = append(sum.Failed, supervisor.SendFailure{Peer: peer, Err: err})
	}
	if r.bad {
		return supervisor.BroadcastResult{}, &supervisor.UnconfirmedError{Cause: errMessage}
	}
	return sum, nil
}
