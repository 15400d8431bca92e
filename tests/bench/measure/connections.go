package measure

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// connects measures new connections per second with an empty and with a full peer book.
func (r *run) connects(repeat int) error {
	for _, known := range []int{0, r.Known} {
		list := r.optional(Before, systems.OursSMSG, systems.Ours, systems.Reference)
		for _, system := range alternating(list, repeat) {
			found, err := r.connectTo(system, known)
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			r.note(Connect, system, float64(known), repeat, found)
		}
	}
	return nil
}

// connectTo connects new peers, each with a first message, and waits until all are connected and in the peer book.
func (r *run) connectTo(system string, known int) (figures, error) {
	p, err := r.pair(system, ends{known: known})
	if err != nil {
		return nil, err
	}
	defer p.stop()
	warm := r.Connections / 10
	if err := p.herd(warm+r.Connections, warm, 0); err != nil {
		return nil, err
	}
	before, _, err := p.usage()
	if err != nil {
		return nil, err
	}
	inBook := known
	if known+warm+r.Connections > bookLimit {
		inBook = -1 // it evicts old peers, so their number is not known
	}
	began := time.Now()
	if err := p.client.Call("connect", args{From: warm, N: r.Connections, Parallel: parallelDials}, nil); err != nil {
		return nil, err
	}
	if err := p.server.Call("await peers", args{N: warm + r.Connections, Known: inBook}, nil); err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	after, _, err := p.usage()
	each := float64(r.Connections)
	return figures{"rate": each / took, "server cpu": (after.CPU - before.CPU) / each}, err
}

// bookLimit is the maximum number of peers in our peer book.
const bookLimit = 10_000

// idle measures the cost of an idle connection.
func (r *run) idle(repeat int) error {
	if repeat >= largestIdle {
		return nil
	}
	list := r.optional(Before, systems.OursSMSG, systems.Ours, systems.Reference, systems.Coder)
	for _, system := range alternating(list, repeat) {
		if err := r.idleOf(system, repeat); err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
	}
	return nil
}

// idleOf opens connections in steps and measures the server's memory after each step: in the first repeat at each point
// of the curve.
func (r *run) idleOf(system string, repeat int) error {
	p, err := r.pair(system, ends{})
	if err != nil {
		return err
	}
	defer p.stop()
	points := r.CurveIdle
	if repeat > 0 {
		points = []int{r.Idle}
	}
	var empty, now process.Usage
	if err := p.herd(r.Idle, 0, 0); err != nil {
		return err
	}
	if err := p.server.Call("settle", args{}, &empty); err != nil {
		return err
	}
	open := 0
	for _, conns := range points {
		if conns > r.Idle {
			break
		}
		if err := p.connect(open, conns-open); err != nil {
			return err
		}
		open = conns
		time.Sleep(300 * time.Millisecond) // the work after a handshake is done by then
		if err := p.server.Call("settle", args{}, &now); err != nil {
			return err
		}
		each := float64(conns)
		values := figures{
			"resident": (now.Resident - empty.Resident) / each, "goroutines": (now.Goroutines - empty.Goroutines) / each,
			"total": now.Resident, "heap": (now.Heap - empty.Heap) / each,
		}
		r.note(OverIdle, system, each, repeat, values)
		if conns == r.Idle {
			r.note(Idle, system, each, repeat, values)
		}
	}
	return nil
}
