package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// floodSize is the number of messages of the flood: 50 % more than the 100 tokens of a bucket.
const floodSize = 150

// harm returns the steps that inject faults.
func harm() []step {
	alice, bob, carol := memberFunc((*mesh).Alice), memberFunc((*mesh).Bob), memberFunc((*mesh).Carol)
	return []step{
		{
			name: "duplicate", about: "alice sends bob the same message twice. He takes it once.",
			do:     duplicate,
			expect: []expectation{arrived(bob, "order"), counted(bob, "messagesDuplicate")},
		},
		{
			name: "flood",
			about: fmt.Sprintf("bob sends alice %d messages at once. "+
				"His bucket holds 100: the rest is dropped, unopened.", floodSize),
			do:     flood,
			expect: []expectation{floodStopped, answered("unharmed", carol, alice), answered("healed", bob, alice)},
		},
		{
			name: "handler-panic", about: "A message makes alice's handler panic. Only this message is lost.",
			do:     func(_ context.Context, m *mesh) error { return m.tell(m.carol, m.alice, poison, nil) },
			expect: []expectation{counted(alice, "handlerPanics"), answered("healed", carol, alice), untouched(alice, carol)},
		},
		{
			name:  "actor-crash",
			about: "The actor of alice's connection to bob panics. It is stopped, not restarted; bob dials again.",
			do:    crash,
			expect: []expectation{
				counted(alice, "actorRestarts"), back(alice, bob), answered("healed", bob, alice), untouched(alice, carol),
			},
		},
		{
			name:  "stalled-peer",
			about: "carol stops reading while alice broadcasts. Only carol's queue fills; she is closed as slow.",
			do:    stall,
			expect: []expectation{
				counted(alice, "slowPeersClosed"), reopened, back(alice, carol), answered("healed", carol, alice),
				untouched(alice, bob),
			},
		},
		{
			name: "impostor-called", about: "mallory listens at the address where alice expects dave. Her dial is refused.",
			do:     impostorCalled,
			expect: []expectation{counted(alice, "dialsFailed"), notInBook},
		},
		{
			name:   "impostor-calls",
			about:  "mallory calls alice with bob's public identity, but without his key. He cannot prove it.",
			do:     impostorCalls,
			expect: []expectation{counted(alice, "framesMalformed"), untouched(alice, bob), answered("unharmed", alice, bob)},
		},
	}
}

func duplicate(_ context.Context, m *mesh) error {
	msg, err := wire.NewMessage("order", m.alice.id, m.bob.id, "one coffee")
	if err != nil {
		return err
	}
	m.note("alice → bob  order %.8s…", msg.ID)
	m.note("alice → bob  order %.8s… again", msg.ID)
	return errors.Join(m.alice.Send(m.bob.id, msg), m.alice.Send(m.bob.id, msg))
}

func flood(_ context.Context, m *mesh) error {
	begun := time.Now()
	for i := range floodSize {
		msg, err := wire.NewMessage("flood", m.bob.id, m.alice.id, i)
		if err == nil {
			err = m.bob.Send(m.alice.id, msg)
		}
		if err != nil {
			return err
		}
	}
	m.note("bob → alice  flood ×%d in %.1f ms", floodSize, milliseconds(time.Since(begun)))
	return nil
}

// floodStopped expects that every message of the flood was delivered or counted as rate limited.
func floodStopped(ctx context.Context, m *mesh) (string, error) {
	var through, stopped int
	err := m.await(ctx, "every message of the flood is delivered or rate limited, and some are limited", func() bool {
		through, stopped = len(m.messages(m.alice, "flood")), int(m.growth(m.alice, "messagesRateLimited"))
		return through+stopped >= floodSize && stopped > 0
	})
	return fmt.Sprintf("%d came through, %d were dropped by the limiter before they were opened", through, stopped), err
}

func crash(_ context.Context, m *mesh) error {
	c := m.alice.GetConnection(m.bob.id)
	if c == nil {
		return errors.New("alice is not connected to bob")
	}
	if err := m.alice.faults.Crash(c); err != nil {
		return err
	}
	m.note("a panic in the actor of alice's connection to bob")
	return nil
}

// Broadcasts while carol does not read. Sockets buffer some megabytes before her queue fills, and a peer with a full
// queue is closed only after a second without progress.
const (
	stallSize  = 512 << 10              // bytes
	stallPause = 100 * time.Millisecond // between broadcasts to a full queue, so that bob's tokens suffice
)

func stall(ctx context.Context, m *mesh) error {
	m.carol.tap.shut()
	m.note("carol stops reading")
	load, err := json.Marshal(string(bytes.Repeat([]byte("x"), stallSize)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var slowest time.Duration
	var missed error
	sent := 0
	for m.growth(m.alice, "slowPeersClosed") == 0 {
		msg, err := wire.NewMessage("load", m.alice.id, "", json.RawMessage(load))
		if err != nil {
			return err
		}
		begun := time.Now()
		result := m.alice.BroadcastContext(ctx, msg)
		if result.Refused != nil {
			return result.Refused
		}
		failed := result.Failed
		if at := slices.IndexFunc(failed, func(f supervisor.SendFailure) bool { return f.Peer == m.bob.id }); at >= 0 {
			return fmt.Errorf("alice to bob: %w", failed[at].Err)
		}
		sent++
		received := func() bool { return len(m.messages(m.bob, "load")) >= sent }
		if err := m.await(ctx, "bob receives every broadcast of alice", received); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(begun))
		if len(failed) > 0 {
			missed = failed[0].Err
			wait(ctx, stallPause)
		}
	}
	m.note("alice → all  load ×%d of 512 KiB: bob has all, the slowest after %.0f ms", sent, milliseconds(slowest))
	m.note("for carol: %v", missed)
	return nil
}

// reopened lets carol read again after her connection was closed.
func reopened(_ context.Context, m *mesh) (string, error) {
	m.carol.tap.open()
	return "carol reads again", nil
}

func impostorCalled(ctx context.Context, m *mesh) error {
	mallory, err := m.add("mallory", 0)
	if err != nil {
		return err
	}
	m.extra = append(m.extra, mallory)
	const daveID = "6b4c195b5338ff84876cc6de1b1118bf"
	_, err = m.alice.ConnectContext(ctx, &supervisor.Peer{ID: daveID, Address: mallory.Addr().String()})
	m.note("alice → dave  %s, where mallory answers", mallory.Addr())
	if !errors.Is(err, supervisor.ErrWrongIdentity) {
		return fmt.Errorf("the dial ended with %v, want %w", err, supervisor.ErrWrongIdentity)
	}
	m.note("refused: %v", err)
	return nil
}

// notInBook expects that the impostor is absent from alice's peer book.
func notInBook(ctx context.Context, m *mesh) (string, error) {
	peers, err := m.alice.Peers(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range peers {
		if p.ID == m.extra[0].id {
			return "", errors.New("mallory is among alice's peers")
		}
	}
	return fmt.Sprintf("alice knows %d peers, without mallory", len(peers)), nil
}
