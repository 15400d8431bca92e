package measure

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// curves runs the measurements for plots, in the first repeat only.
func (r *run) curves(repeat int) error {
	if repeat > 0 {
		return nil
	}
	both := []string{systems.Ours, systems.Reference}
	for _, system := range both {
		if err := r.overConnections(system); err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
	}
	for _, peers := range r.CurvePeers {
		for _, system := range both {
			found, err := r.broadcastTo(system, peers, InFlight)
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			r.note(OverPeers, system, float64(peers), repeat, found)
		}
	}
	for _, known := range r.CurveKnown {
		for _, system := range both {
			found, err := r.connectTo(system, known)
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			r.note(OverKnown, system, float64(known), repeat, found)
		}
	}
	return nil
}

// overConnections sends at one rate over a rising number of connections and measures the server's cost per message.
func (r *run) overConnections(system string) error {
	const size = 256
	total := r.CurveConnections[len(r.CurveConnections)-1]
	p, err := r.pair(system, ends{})
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.herd(total, 0, 0); err != nil {
		return err
	}
	open := 0
	n := int(r.Rate * r.Seconds * 2)
	for _, conns := range r.CurveConnections {
		if err := p.connect(open, conns-open); err != nil {
			return err
		}
		open = conns
		time.Sleep(100 * time.Millisecond) // the work after a handshake is done by then
		found, err := p.speak(conns, n, size, r.Rate)
		if err != nil {
			return err
		}
		r.note(OverConns, system, float64(conns), 0, found)
	}
	return nil
}

// speak makes the flock send n messages and waits until all have arrived.
func (p *pair) speak(conns, n, size int, rate float64) (figures, error) {
	var before, after process.Usage
	if err := p.server.Call("arm", args{N: n}, nil); err != nil {
		return nil, err
	}
	if err := p.server.Call("usage", args{}, &before); err != nil {
		return nil, err
	}
	var took figures
	if err := p.client.Call("speak", args{Parallel: conns, N: n, Size: size, Rate: rate}, &took); err != nil {
		return nil, err
	}
	if err := p.server.Call("await", args{}, nil); err != nil {
		return nil, err
	}
	err := p.server.Call("usage", args{}, &after)
	return figures{"server cpu": (after.CPU - before.CPU) / float64(n), "rate": float64(n) / took["seconds"]}, err
}
