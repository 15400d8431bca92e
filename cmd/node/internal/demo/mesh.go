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

// The messages that the members understand beside those that they only note.
const (
	question wire.MessageType = "question" // is answered with an answer
	answer   wire.MessageType = "answer"
	poison   wire.MessageType = "poison" // makes the handler panic
)

// Node is a node of the mesh, for whoever shows it while it is kept running.
type Node = *supervisor.Transport

// member is one node of the mesh.
type member struct {
	*supervisor.Transport
	name   string
	id     string
	tap    *tap // through which everything goes that it reads
	faults supervisor.Faults
	mesh   *mesh
}

// happening is a message or an event at a member.
type happening struct {
	at    *member
	when  time.Time
	event supervisor.Event // nil for a message
	from  string           // node ID of the peer
	msg   *wire.Message
}

// mesh is the three nodes and all that has happened at them.
type mesh struct {
	alice, bob, carol *member
	extra             []*member // who comes and goes

	mu      sync.Mutex
	log     []happening
	from    int           // where the log of the present step begins
	base    counters      // at the start of the present step
	told    []string      // what do has noted
	changed chan struct{} // closed with the next happening
}

// counters are those of all members: "name counter".
type counters map[string]uint64

func newMesh() *mesh { return &mesh{changed: make(chan struct{})} }

// add makes a member and starts it on a free port of the loopback.
func (m *mesh) add(name string, queueBytes int64) (*member, error) {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		return nil, err
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	cfg.Pacing = supervisor.PacingOff // the flood and the stall are above the limits
	if queueBytes > 0 {
		cfg.QueueBytes = queueBytes
	}
	who := &member{name: name, id: keys.Identity().ID, tap: newTap(), mesh: m}
	who.Transport, err = supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg,
		supervisor.WithConnWrapper(who.tap.wrap), supervisor.WithFaults(&who.faults))
	if err != nil {
		return nil, err
	}
	who.OnMessage(who.onMessage)
	who.OnEvent(func(e supervisor.Event) { m.add1(happening{at: who, event: e}) })
	return who, who.Start()
}

// onMessage is the handler of every member.
func (w *member) onMessage(c *supervisor.PeerConnection, msg *wire.Message) {
	switch msg.Type {
	case wire.MsgPing, wire.MsgPong, wire.MsgDisconnect:
		return
	case question:
		if reply, err := msg.Reply(answer, "yes"); err == nil {
			_ = c.Send(reply) // who asked will notice when nothing comes
		}
	}
	w.mesh.add1(happening{at: w, from: c.Peer().ID, msg: msg})
	if msg.Type == poison {
		panic("a handler of the demonstration")
	}
}

func (m *mesh) add1(h happening) {
	h.when = time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, h)
	close(m.changed)
	m.changed = make(chan struct{})
}

// mark begins a step.
func (m *mesh) mark(base counters) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.from, m.base, m.told = len(m.log), base, nil
}

// note says something about what is being done.
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

// seen returns the happenings of the present step that fit.
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

// recheck is how often a condition is looked at when nothing happens: counters move without a happening.
const recheck = 5 * time.Millisecond

// await waits until a condition holds.
func (m *mesh) await(ctx context.Context, what string, holds func() bool) error {
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
			return fmt.Errorf("expected, and not seen in time: %s", what)
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

// growth is by how much a member's counter has grown in the present step.
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

// close ends what still runs, after a failure too.
func (m *mesh) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = m.stop(ctx) // a second call waits for the first and does nothing else
}
