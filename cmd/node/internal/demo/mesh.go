package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// The message types that the handler acts on. It records all other types only.
const (
	question wire.MessageType = "question" // answered with an answer
	answer   wire.MessageType = "answer"
	poison   wire.MessageType = "poison" // makes the handler panic
)

// Node is a node of the mesh, as Options.Keep receives it.
type Node = *supervisor.Transport

// member is one node of the mesh.
type member struct {
	*supervisor.Transport
	name   string
	id     string
	tap    *tap // on the read side of all its connections
	faults supervisor.Faults
	mesh   *mesh
}

// happening is a message or an event at one member.
type happening struct {
	at    *member
	when  time.Time
	event supervisor.Event // nil for a message
	from  string           // node ID of the peer
	msg   *wire.Message
}

// mesh holds the three nodes and the log of their messages and events.
type mesh struct {
	alice, bob, carol *member
	extra             []*member // further nodes

	mu      sync.Mutex
	log     []happening
	from    int           // index in log at the start of the current step
	base    counters      // at the start of the current step
	told    []string      // notes of the current step
	changed chan struct{} // closed by the next happening
}

// counters are those of all members: "name counter".
type counters map[string]uint64

func newMesh() *mesh { return &mesh{changed: make(chan struct{})} }

// add creates a member and starts it on a free port of 127.0.0.1.
func (m *mesh) add(name string, queueBytes int64) (*member, error) {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		return nil, err
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	cfg.Pacing = supervisor.PacingOff   // the flood and the stall exceed the rate limit
	cfg.Session = supervisor.SessionOff // in a session a flood waits for tokens instead
	if queueBytes > 0 {
		cfg.QueueBytes = queueBytes
	}
	added := &member{name: name, id: keys.Identity().ID, tap: newTap(), mesh: m}
	added.Transport, err = supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg,
		supervisor.WithConnWrapper(added.tap.wrap), supervisor.WithFaults(&added.faults))
	if err != nil {
		return nil, err
	}
	added.OnMessage(added.onMessage)
	added.OnEvent(func(e supervisor.Event) { m.record(happening{at: added, event: e}) })
	return added, added.Start()
}

// onMessage is the handler of every member.
func (w *member) onMessage(c *supervisor.PeerConnection, msg *wire.Message) {
	switch msg.Type {
	case wire.MsgPing, wire.MsgPong, wire.MsgDisconnect:
		return
	case question:
		if reply, err := msg.Reply(answer, "yes"); err == nil {
			_ = c.Send(reply) // the expectation fails without the reply
		}
	}
	w.mesh.record(happening{at: w, from: c.Peer().ID, msg: msg})
	if msg.Type == poison {
		panic("a handler of the demonstration")
	}
}

func (m *mesh) record(h happening) {
	h.when = time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, h)
	close(m.changed)
	m.changed = make(chan struct{})
}

// mark sets the start of a step.
func (m *mesh) mark(base counters) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.from, m.base, m.told = len(m.log), base, nil
}

// note adds a line to the report of the current step.
func (m *mesh) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *mesh) notes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told)
}

// seen returns the happenings of the current step that fit.
func (m *mesh) seen(fits func(happening) bool) (found []happening) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.log[m.from:] {
		if fits(h) {
			found = append(found, h)
		}
	}
	return found
}

// recheck is the interval at which await tests a condition without a happening, because counters change without one.
const recheck = 5 * time.Millisecond

// await blocks until a condition holds. If ctx ends first, the error contains text.
func (m *mesh) await(ctx context.Context, text string, holds func() bool) error {
	ticker := time.NewTicker(recheck)
	defer ticker.Stop()
	for {
		m.mu.Lock()
		changed := m.changed
		m.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("expected, but not seen in time: %s", text)
		}
	}
}

func (m *mesh) members() []*member {
	all := slices.DeleteFunc([]*member{m.alice, m.bob, m.carol}, func(w *member) bool { return w == nil })
	return append(all, m.extra...)
}

func (m *mesh) counters() counters {
	all := make(counters)
	for _, w := range m.members() {
		for name, value := range w.Counters() {
			all[w.name+" "+name] = value
		}
	}
	return all
}

func difference(before, after counters) counters {
	grown := make(counters)
	for name, value := range after {
		if value > before[name] {
			grown[name] = value - before[name]
		}
	}
	return grown
}

// growth returns the growth of a member's counter in the current step.
func (m *mesh) growth(w *member, counter string) uint64 {
	m.mu.Lock()
	base := m.base[w.name+" "+counter]
	m.mu.Unlock()
	return w.Counters()[counter] - base
}

func (m *mesh) stop(ctx context.Context) error {
	var failed []error
	for _, w := range m.members() {
		w.tap.open()
		failed = append(failed, w.StopContext(ctx))
	}
	return errors.Join(failed...)
}

// close stops the nodes that still run.
func (m *mesh) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = m.stop(ctx) // stopped nodes ignore the call
}
