package cluster

import (
	"sync/atomic"

	"github.com/Snider/go-p2p/supervisor"
)

// flight is one message that is forwarded. It has one owner at a time: the caller of add, an outward, or resend.
type flight struct {
	entry
	done  func(supervisor.Forwarded)   // nil: a broadcast
	sum   func(data []byte, err error) // of a broadcast
	tried string                       // member to which it was forwarded before; empty: none
	data  []byte                       // parts of the result

	over  atomic.Bool            // the caller no longer waits
	at    atomic.Pointer[leg]    // the last one; nil: none
	stop  atomic.Pointer[func()] // cancels a delivery at this member
	first leg
}

// leg is the place of a flight in the batches to one member.
type leg struct {
	out   *outward
	batch uint64
	index int
}

// Forward implements supervisor.Cluster.
func (e *Engine) Forward(
	what supervisor.Forwarding, done func(supervisor.Forwarded),
) (cancel func(), err error) {
	home, held := e.Home(what.Peer)
	if !held || home == e.opts.Name {
		return nil, supervisor.ErrNotConnected
	}
	form, err := e.form(what.Message)
	if err != nil {
		return nil, err
	}
	f := &flight{
		entry: entry{mode: what.Mode, endless: what.Endless, peer: what.Peer, form: form},
		done:  done,
	}
	if err := e.forwarder.send(f, home); err != nil {
		return nil, err
	}
	return f.cancel, nil
}

// send adds a flight to the next batch to a member.
func (f *forwarder) send(flight *flight, to string) error {
	p := f.with(to)
	if p == nil {
		return supervisor.ErrNotConnected
	}
	return p.out.add(flight)
}

// resend forwards a message that a member has not sent once more, if the peer has another home: by this member's
// directory, or else by the hint of that member.
func (f *forwarder) resend(flight *flight, from, hint string) {
	home, _ := f.engine.Home(flight.peer)
	if home == "" || home == from {
		home = hint
	}
	first := flight.tried == ""
	flight.tried = from
	switch {
	case !first || home == "" || home == from || flight.over.Load() || flight.broadcast:
		flight.settle(nil, supervisor.ErrNotConnected)
	case home == f.engine.opts.Name:
		f.deliverHere(flight)
	default:
		if err := f.send(flight, home); err != nil {
			flight.settle(nil, err)
		}
	}
}

// deliverHere sends a message to a peer that has moved to this member.
func (f *forwarder) deliverHere(flight *flight) {
	msg, err := flight.message(f.newDecoder())
	if err != nil {
		flight.settle(nil, err)
		return
	}
	stop := f.local.Deliver(supervisor.Forwarding{
		Peer: flight.peer, Message: msg, Mode: flight.mode, Endless: flight.endless,
	}, func(result supervisor.Forwarded) {
		result.Err = withoutPeer(result.Err)
		flight.done(result)
	})
	if stop == nil {
		return
	}
	if flight.stop.Store(&stop); flight.over.Load() {
		stop()
	}
}

// cancel ends the delivery of a message for which the caller no longer waits. Safe for concurrent use.
func (flight *flight) cancel() {
	flight.over.Store(true)
	if stop := flight.stop.Load(); stop != nil {
		(*stop)()
	}
	if at := flight.at.Load(); at != nil {
		at.out.cancel(at, flight)
	}
}

// settle reports the result to the caller. It is called once for each flight.
func (flight *flight) settle(data []byte, err error) {
	if flight.sum != nil {
		flight.sum(data, err)
		return
	}
	result := supervisor.Forwarded{Err: err}
	if err == nil && len(data) > 0 {
		result.Reply, result.Err = reply(data)
	}
	flight.done(result)
}
