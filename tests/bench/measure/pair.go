package measure

import (
	"fmt"

	"github.com/Snider/go-p2p/tests/bench/process"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// pair is the two ends of a measurement: the server accepts connections, the client opens them.
type pair struct {
	server, client *process.Process
	system, name   string // the name in the results, and in the program of the processes
	address        string
}

// ends are options of both ends.
type ends struct {
	oneCore bool // both processes run on one processor
	known   int  // peers in the peer book of the server
}

// pair starts both ends of a system. It does not dial.
func (r *run) pair(system string, o ends) (*pair, error) {
	path, name, err := r.binary(system)
	if err != nil {
		return nil, err
	}
	p := &pair{system: system, name: name}
	core := -1
	if o.oneCore {
		core = 0
	}
	if p.server, err = process.Start(path, core); err != nil {
		return nil, err
	}
	if p.client, err = process.Start(path, core); err != nil {
		p.server.Stop()
		return nil, err
	}
	listen := args{System: name, Known: o.known}
	if err = p.server.Call("listen", listen, &p.address); err != nil {
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
func (p *pair) dial() error {
	return p.client.Call("dial", args{System: p.name, Address: p.address}, nil)
}

// pairs starts both ends of each system and dials. The caller stops them, also after an error.
func (r *run) pairs(list []string, o ends) ([]*pair, error) {
	var pairs []*pair
	for _, system := range list {
		p, err := r.pair(system, o)
		if err != nil {
			return pairs, err
		}
		pairs = append(pairs, p)
		if err := p.dial(); err != nil {
			return pairs, fmt.Errorf("%s: %w", system, err)
		}
	}
	return pairs, nil
}

func stopAll(pairs []*pair) {
	for _, p := range pairs {
		p.stop()
	}
}

// herd makes the client prepare a flock of n peers and connect the first ones. The flock counts messages of size bytes
// in records, and otherwise frames of at least that size.
func (p *pair) herd(n, first, size int) error {
	flock := args{Address: p.address, N: n, Size: size, Session: p.system == systems.Ours}
	if err := p.client.Call("flock", flock, nil); err != nil {
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
