package measure

import (
	"fmt"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// pair is the two ends of a measurement: the server accepts connections, the client opens them.
type pair struct {
	server, client *process.Process
	address        string
}

// pair starts both ends of a system on one processor, on all if it is negative. It does not dial.
func (r *run) pair(system string, core, known int) (*pair, error) {
	path, name, err := r.binary(system)
	if err != nil {
		return nil, err
	}
	p := &pair{}
	if p.server, err = process.Start(path, core); err != nil {
		return nil, err
	}
	if p.client, err = process.Start(path, core); err != nil {
		p.server.Stop()
		return nil, err
	}
	if err = p.server.Call("listen", args{System: name, Known: known}, &p.address); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", system, err)
	}
	return p, nil
}

func (p *pair) stop() {
	p.client.Stop()
	p.server.Stop()
}

// dial makes the client open one connection.
func (p *pair) dial(system string) error {
	if system == Portable {
		system = systems.Ours
	}
	return p.client.Call("dial", args{System: system, Address: p.address}, nil)
}

// herd makes the client prepare a flock of n peers and connect the first ones. Only frames of atLeast bytes count.
func (p *pair) herd(n, first, atLeast int) error {
	if err := p.client.Call("flock", args{Address: p.address, N: n, Size: atLeast}, nil); err != nil {
		return err
	}
	return p.connect(0, first)
}

// connect opens n more connections of the flock, parallelDials at a time.
func (p *pair) connect(from, n int) error {
	if err := p.client.Call("connect", args{From: from, N: n, Parallel: parallelDials}, nil); err != nil {
		return err
	}
	return p.server.Call("await peers", args{N: from + n, Known: -1}, nil)
}

// parallelDials is the number of parallel dials. With fewer, the machine is idle at times.
const parallelDials = 32

// usage returns the CPU time and memory of both ends.
func (p *pair) usage() (server, client process.Usage, err error) {
	if err = p.server.Call("usage", args{}, &server); err == nil {
		err = p.client.Call("usage", args{}, &client)
	}
	return server, client, err
}

// stream sends n messages one way and returns the seconds from the first call to the arrival of the last message. It
// fails unless exactly n messages arrive.
func (p *pair) stream(n, size int) (seconds float64, err error) {
	var began, ended, counted, before figures
	if err := p.server.Call("count", args{}, &before); err != nil {
		return 0, err
	}
	if err := p.server.Call("arm", args{N: n}, nil); err != nil {
		return 0, err
	}
	if err := p.client.Call("stream", args{N: n, Size: size}, &began); err != nil {
		return 0, err
	}
	if err := p.server.Call("await", args{}, &ended); err != nil {
		return 0, err
	}
	if err := p.server.Call("count", args{}, &counted); err != nil {
		return 0, err
	}
	if came := counted["count"] - before["count"]; came != float64(n) {
		return 0, fmt.Errorf("%v messages arrived of %d sent", came, n)
	}
	return (ended["at"] - began["began"]) / 1e9, nil
}
