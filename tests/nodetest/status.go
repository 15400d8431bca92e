package nodetest

import (
	"encoding/json"
	"time"
)

// Status is the output of `node status --output json`, as far as tests read it.
type Status struct {
	Identity    map[string]any     `json:"identity"`
	Address     string             `json:"address"`
	Auth        string             `json:"auth"`
	Uptime      float64            `json:"uptime"`
	Connections Connections        `json:"connections"`
	Counters    map[string]float64 `json:"counters"`
}

// Connections is the part of Status with that name.
type Connections struct{ Established, Pending, Max int }

// Run runs a command of the plain binary against the node. It may run in any goroutine.
func (p *Process) Run(args ...string) Result {
	p.t.Helper()
	return RunCommand(p.t, ProcessOptions{Home: p.home}, append(args[:len(args):len(args)], "--data-dir", p.data)...)
}

// Status returns the node's status.
func (p *Process) Status() Status {
	p.t.Helper()
	var s Status
	r := p.Run("status", "--output", "json")
	if err := json.Unmarshal([]byte(r.Stdout), &s); r.Code != 0 || err != nil {
		p.Fatalf("status: exit code %d, %v\n%s%s", r.Code, err, Head(r.Stdout), Tail(r.Stderr))
	}
	return s
}

// AwaitStatus asks for the status until it satisfies a condition. It does not pause in between, because each question
// is a process of its own.
func (p *Process) AwaitStatus(what string, ok func(Status) bool) Status {
	p.t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		s := p.Status()
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			p.Fatalf("status never showed %s; it shows %+v", what, s)
		}
	}
}

// AwaitCounter waits until a counter has reached a value, and fails if it has passed it.
func (p *Process) AwaitCounter(name string, value float64) Status {
	p.t.Helper()
	s := p.AwaitStatus(name, func(s Status) bool { return s.Counters[name] >= value })
	if got := s.Counters[name]; got != value {
		p.Fatalf("%s is %v, want exactly %v", name, got, value)
	}
	return s
}
