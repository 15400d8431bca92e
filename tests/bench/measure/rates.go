package measure

import (
	"fmt"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// micro runs the measurements that need one process only.
func (r *run) micro(repeat int) error {
	for _, system := range r.withPortable(systems.Ours) {
		path, _, err := r.binary(system)
		if err != nil {
			return err
		}
		p, err := process.Start(path, -1)
		if err != nil {
			return err
		}
		var found figures
		err = p.Call("codec", args{Size: 256, Seconds: r.Seconds / 4}, &found)
		p.Stop()
		if err != nil {
			return err
		}
		r.note(Codec, system, 256, repeat, found)
	}
	for _, system := range []string{systems.Ours, systems.Reference} {
		path, _, err := r.binary(system)
		if err != nil {
			return err
		}
		p, err := process.Start(path, -1)
		if err != nil {
			return err
		}
		var found figures
		err = p.Call("dedup", args{System: system, N: r.IDs}, &found)
		p.Stop()
		if err != nil {
			return err
		}
		r.note(Dedup, system, float64(r.IDs), repeat, found)
	}
	return nil
}

// withPortable adds our node with the portable key stream to a list of systems, if its binary was built.
func (r *run) withPortable(list ...string) []string {
	if r.Plan.Portable != "" {
		list = append(list, Portable)
	}
	return list
}

func (r *run) oneWay(repeat int) error {
	list := r.withPortable(systems.Ours, systems.Reference, systems.LibP2P, systems.Coder, systems.Coalesced)
	for _, system := range list {
		if err := r.oneWayOf(system, repeat); err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
	}
	return nil
}

// oneWayOf streams messages of every size over one connection. A short stream before each warms up and gives the number
// of messages for the wanted time.
func (r *run) oneWayOf(system string, repeat int) error {
	p, err := r.pair(system, -1, 0)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.dial(system); err != nil {
		return err
	}
	for _, size := range r.Sizes {
		warm := max(20, int(r.Seconds*min(10_000, 4e6/float64(size))))
		took, err := p.stream(warm, size)
		if err != nil {
			return err
		}
		n := max(warm, int(float64(warm)*r.Seconds/took))
		serverBefore, clientBefore, err := p.usage()
		if err != nil {
			return err
		}
		if took, err = p.stream(n, size); err != nil {
			return err
		}
		server, client, err := p.usage()
		if err != nil {
			return err
		}
		each := float64(n)
		values := figures{
			"rate": each / took, "messages": each,
			"cpu":                  (server.CPU - serverBefore.CPU + client.CPU - clientBefore.CPU) / each,
			"allocations received": (server.Mallocs - serverBefore.Mallocs) / each,
			"allocations sent":     (client.Mallocs - clientBefore.Mallocs) / each,
		}
		if system == systems.Ours {
			var making figures
			if err := p.client.Call("making", args{Size: size}, &making); err != nil {
				return err
			}
			values["allocations of making"] = making["allocations"]
		}
		r.note(OneWay, system, float64(size), repeat, values)
	}
	return nil
}

// roundTrip sends one request after the other and waits for each answer, with both processes on one core.
func (r *run) roundTrip(repeat int) error {
	const size = 256
	for _, system := range []string{systems.Ours, systems.Reference, systems.LibP2P, systems.Coder, systems.Remote} {
		p, err := r.pair(system, 0, 0)
		if err != nil {
			return err
		}
		var found figures
		if err = p.dial(system); err == nil {
			if err = p.client.Call("ask", args{N: r.Asks/4 + 1, Size: size}, nil); err == nil { // to warm up
				err = p.client.Call("ask", args{N: r.Asks, Size: size}, &found)
			}
		}
		p.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
		r.note(RoundTrip, system, size, repeat, found)
	}
	return nil
}

// broadcasts measures broadcasts to many peers, with one and with InFlight broadcasts in flight.
func (r *run) broadcasts(repeat int) error {
	for _, flying := range []int{1, InFlight} {
		for _, system := range []string{systems.Ours, systems.Reference, systems.Coder} {
			found, err := r.broadcastTo(system, r.Peers, flying)
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			r.note(Broadcast, system, float64(flying), repeat, found)
		}
	}
	return nil
}

func (r *run) broadcastTo(system string, peers, flying int) (figures, error) {
	const size = 256
	atLeast := size // a message of a bare system is exactly its payload
	if system == systems.Ours || system == systems.Reference {
		atLeast = 2 * size // between a message of about 640 bytes and the node's pings of about 400
	}
	p, err := r.pair(system, -1, 0)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := p.herd(peers, peers, atLeast); err != nil {
		return nil, err
	}
	var side string
	if err := p.client.Call("marks", args{N: peers}, &side); err != nil {
		return nil, err
	}
	var found, arrived figures
	call := args{Address: side, N: peers, Size: size, Parallel: flying, Seconds: r.Seconds}
	if err := p.server.Call("broadcast", call, &found); err != nil {
		return nil, err
	}
	if err := p.client.Call("frames", args{}, &arrived); err != nil {
		return nil, err
	}
	if arrived["frames"] != found["broadcasts"]*float64(peers) {
		return nil, fmt.Errorf("%v deliveries of %v broadcasts to %d", arrived["frames"], found["broadcasts"], peers)
	}
	return found, nil
}
