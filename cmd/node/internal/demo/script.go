package demo

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// script returns the steps of the demonstration before the stop step.
func script() []step {
	return append([]step{
		{
			name: "start", about: "Three nodes with an identity each start to listen.",
			do: start,
		},
		{
			name: "connect", about: "bob dials alice, carol dials both, and each keeps those it dialled connected.",
			do: connect,
			expect: []expectation{
				connected((*mesh).Bob, (*mesh).Alice), connected((*mesh).Carol, (*mesh).Alice),
				connected((*mesh).Carol, (*mesh).Bob),
			},
		},
		{
			name: "talk", about: "One message to one peer, a question with its answer, a broadcast.",
			do: talk,
			expect: []expectation{
				arrived((*mesh).Bob, "hello"), arrived((*mesh).Alice, "news"), arrived((*mesh).Bob, "news"),
				roundTrip((*mesh).Alice, (*mesh).Bob), roundTrip((*mesh).Alice, (*mesh).Carol),
				roundTrip((*mesh).Bob, (*mesh).Carol),
			},
		},
	}, harm()...)
}

// stopStep returns the last step, which runs after Options.Keep.
func stopStep() step {
	var before int
	return step{
		name: "stop", about: "All nodes stop and tell their peers. No goroutine is left.",
		do: func(ctx context.Context, m *mesh) error {
			before = runtime.NumGoroutine()
			start := time.Now()
			within, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			// alice stops first and tells the others, which stop afterwards.
			if err := m.alice.StopContext(within); err != nil {
				return err
			}
			for _, w := range []*member{m.bob, m.carol} {
				told := func() bool { return m.leftBy(w, m.alice) }
				if err := m.await(within, w.name+" gets the disconnect message of alice", told); err != nil {
					return err
				}
				m.note("%s was told by alice: server shutdown (%d)", w.name, wire.DisconnectShutdown)
			}
			err := m.stop(within)
			m.note("%d nodes stopped within %.1f ms", len(m.members()), milliseconds(time.Since(start)))
			return err
		},
		expect: []expectation{func(ctx context.Context, m *mesh) (string, error) {
			err := m.await(ctx, "the goroutines of the nodes end", func() bool { return runtime.NumGoroutine() < before })
			return fmt.Sprintf("goroutines: %d before, %d after", before, runtime.NumGoroutine()), err
		}},
	}
}

// leftBy reports whether a member received a shutdown message from another.
func (m *mesh) leftBy(w, other *member) bool {
	return len(m.seen(func(h happening) bool {
		e, ok := h.event.(supervisor.PeerDown)
		return ok && h.at == w && e.Peer == other.id && e.Code == wire.DisconnectShutdown && e.Remote
	})) > 0
}

// memberFunc returns a member. Steps are defined before the members exist.
type memberFunc func(*mesh) *member

// Alice returns the first member.
func (m *mesh) Alice() *member { return m.alice }

// Bob returns the second member.
func (m *mesh) Bob() *member { return m.bob }

// Carol returns the third member.
func (m *mesh) Carol() *member { return m.carol }

// smallQueue is alice's QueueBytes, small so that she soon closes a peer that does not read.
const smallQueue = 2 << 20

func start(_ context.Context, m *mesh) (err error) {
	for _, one := range []struct {
		name  string
		queue int64
		field **member
	}{{"alice", smallQueue, &m.alice}, {"bob", 0, &m.bob}, {"carol", 0, &m.carol}} {
		if *one.field, err = m.add(one.name, one.queue); err != nil {
			return err
		}
		m.note("%-5s  %s  listens on %s", one.name, (*one.field).id, (*one.field).URL())
	}
	return nil
}

func connect(ctx context.Context, m *mesh) error {
	for _, dial := range [][2]*member{{m.bob, m.alice}, {m.carol, m.alice}, {m.carol, m.bob}} {
		from, to := dial[0], dial[1]
		begun := time.Now()
		if _, err := from.ConnectAddress(ctx, to.Addr().String()); err != nil {
			return err
		}
		m.note("%s → %s  %s, handshake %.1f ms", from.name, to.name, to.Addr(), milliseconds(time.Since(begun)))
	}
	return nil
}

func talk(ctx context.Context, m *mesh) error {
	if err := m.tell(m.alice, m.bob, "hello", "good morning"); err != nil {
		return err
	}
	begun := time.Now()
	if err := m.ask(ctx, m.bob, m.alice, patience); err != nil {
		return err
	}
	m.note("bob → alice  question, alice → bob  answer: %.2f ms round trip", milliseconds(time.Since(begun)))
	news, err := wire.NewMessage("news", m.carol.id, "", "to all")
	if err == nil {
		err = m.carol.Broadcast(news).Err()
	}
	m.note("carol → all  news")
	return err
}

// tell sends one message.
func (m *mesh) tell(from, to *member, kind wire.MessageType, payload any) error {
	msg, err := wire.NewMessage(kind, from.id, to.id, payload)
	if err != nil {
		return err
	}
	m.note("%s → %s  %s", from.name, to.name, kind)
	return from.Send(to.id, msg)
}

// ask sends a question and waits for the answer.
func (m *mesh) ask(ctx context.Context, from, to *member, limit time.Duration) error {
	msg, err := wire.NewMessage(question, from.id, to.id, "are you there?")
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err = from.RequestContext(within, to.id, msg)
	return err
}
