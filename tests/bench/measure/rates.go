package measure

import (
	"fmt"

	"github.com/Snider/go-p2p/tests/bench/systems"
)

// oneWay streams messages of every size over one connection of each system. The systems take turns at each size, so
// that the figures that are compared are measured within seconds.
func (r *run) oneWay(repeat int) error {
	pairs, err := r.pairs(r.optional(systems.LibP2P, systems.Coalesced, systems.Ours, systems.OursSMSG, Before, Portable,
		systems.Reference, systems.Coder), ends{})
	defer stopAll(pairs)
	if err != nil {
		return err
	}
	for _, size := range r.Sizes {
		for _, p := range alternating(pairs, repeat) {
			values, err := p.rate(size, r.Seconds)
			if err != nil {
				return fmt.Errorf("%s: %w", p.system, err)
			}
			r.note(OneWay, p.system, float64(size), repeat, values)
		}
	}
	return nil
}

// rate streams messages for about the given time. A short stream before it warms up and gives the number of messages.
func (p *pair) rate(size int, seconds float64) (figures, error) {
	warm := max(20, int(seconds*min(10_000, 4e6/float64(size))))
	took, err := p.stream(warm, size)
	if err != nil {
		return nil, err
	}
	n := max(warm, int(float64(warm)*seconds/took))
	serverBefore, clientBefore, err := p.usage()
	if err != nil {
		return nil, err
	}
	if took, err = p.stream(n, size); err != nil {
		return nil, err
	}
	server, client, err := p.usage()
	if err != nil {
		return nil, err
	}
	each := float64(n)
	values := figures{
		"rate": each / took, "messages": each,
		"cpu":                  (server.CPU - serverBefore.CPU + client.CPU - clientBefore.CPU) / each,
		"allocations received": (server.Mallocs - serverBefore.Mallocs) / each,
		"allocations sent":     (client.Mallocs - clientBefore.Mallocs) / each,
	}
	if p.system == systems.Ours || p.system == systems.OursSMSG {
		var making figures
		if err := p.client.Call("making", args{Size: size}, &making); err != nil {
			return nil, err
		}
		values["allocations of making"] = making["allocations"]
	}
	return values, nil
}

// roundTrip sends one request after the other and waits for each answer, with both processes on one core.
func (r *run) roundTrip(repeat int) error {
	const size = 256
	list := r.optional(systems.LibP2P, systems.Ours, systems.OursSMSG, Before, systems.Reference, systems.Coder,
		systems.Remote)
	pairs, err := r.pairs(list, ends{oneCore: true})
	defer stopAll(pairs)
	if err != nil {
		return err
	}
	for _, p := range alternating(pairs, repeat) {
		var found figures
		err := p.client.Call("ask", args{N: r.Asks/4 + 1, Size: size}, nil) // to warm up
		if err == nil {
			err = p.client.Call("ask", args{N: r.Asks, Size: size}, &found)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.system, err)
		}
		r.note(RoundTrip, p.system, size, repeat, found)
	}
	return nil
}
