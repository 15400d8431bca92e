package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// connected expects that each of two members has proved to the other who it is.
func connected(first, second who) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := first(m), second(m)
		what := fmt.Sprintf("%s and %s are connected, both proven", a.name, b.name)
		return what, m.await(ctx, what, func() bool { return proven(a, b) && proven(b, a) })
	}
}

func proven(at, peer *member) bool {
	c := at.GetConnection(peer.id)
	return c != nil && c.Verified()
}

// arrived expects exactly n messages of a type at a member in this step, and says how long the last took.
func arrived(at who, kind wire.MessageType, n int) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		w := at(m)
		var got []happening
		err := m.await(ctx, fmt.Sprintf("%s receives %d of type %s", w.name, n, kind), func() bool {
			got = m.messages(w, kind)
			return len(got) >= n
		})
		if err == nil && len(got) != n {
			err = fmt.Errorf("expected %d of type %s at %s, and seen were %d", n, kind, w.name, len(got))
		}
		if err != nil {
			return "", err
		}
		last := got[n-1]
		return fmt.Sprintf("%s has %s ×%d, the last after %.2f ms", w.name, kind, n, milliseconds(last.when.Sub(last.msg.Timestamp))), nil
	}
}

func (m *mesh) messages(at *member, kind wire.MessageType) []happening {
	return m.seen(func(h happening) bool { return h.at == at && h.msg != nil && h.msg.Type == kind })
}

// roundTrip expects that a ping comes back.
func roundTrip(from, to who) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := from(m), to(m)
		ping, err := wire.NewMessage(wire.MsgPing, a.id, b.id, wire.PingPayload{SentAt: time.Now().UnixMilli()})
		if err != nil {
			return "", err
		}
		begun := time.Now()
		if _, err := a.RequestContext(ctx, b.id, ping); err != nil {
			return "", err
		}
		return fmt.Sprintf("ping %s ⇄ %s  %.2f ms", a.name, b.name, milliseconds(time.Since(begun))), nil
	}
}

// counted expects that a counter has grown by least or more in this step.
func counted(at who, counter string, least uint64) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		w := at(m)
		what := fmt.Sprintf("%s counts %s +%d", w.name, counter, least)
		err := m.await(ctx, what, func() bool { return m.growth(w, counter) >= least })
		return fmt.Sprintf("%s counts %s +%d", w.name, counter, m.growth(w, counter)), err
	}
}

// answered expects that a question gets through now. One that is dropped, by a limiter say, is asked again. With how
// the line begins: healed or unharmed.
func answered(how string, from, to who) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := from(m), to(m)
		begun := time.Now()
		var last error
		for ctx.Err() == nil {
			if last = m.ask(ctx, a, b, 250*time.Millisecond); last == nil {
				return fmt.Sprintf("%s: %s asks and %s answers, %.1f ms later", how, a.name, b.name, milliseconds(time.Since(begun))), nil
			}
			wait(ctx, recheck)
		}
		return "", fmt.Errorf("%s gets no answer from %s: %w", a.name, b.name, last)
	}
}

// back expects that a connection went down at a member, and that the peer is there again.
func back(at, peer who) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := at(m), peer(m)
		var down, up []happening
		err := m.await(ctx, fmt.Sprintf("%s loses %s and has it again", a.name, b.name), func() bool {
			down = m.seen(func(h happening) bool {
				e, ok := h.event.(supervisor.PeerDown)
				return ok && h.at == a && e.Peer == b.id
			})
			up = m.seen(func(h happening) bool {
				e, ok := h.event.(supervisor.PeerUp)
				return ok && h.at == a && e.Peer == b.id && len(down) > 0 && h.when.After(down[0].when)
			})
			return len(up) > 0
		})
		if err != nil {
			return "", err
		}
		lost := down[0].event.(supervisor.PeerDown)
		return fmt.Sprintf("%s lost %s (%s) and had it again %.0f ms later", a.name, b.name, lost.Reason, milliseconds(up[0].when.Sub(down[0].when))), nil
	}
}

// untouched expects that the connection between two members is the one that it was when the step began.
func untouched(at, peer who) expectation {
	return func(_ context.Context, m *mesh) (string, error) {
		a, b := at(m), peer(m)
		fell := m.seen(func(h happening) bool {
			e, ok := h.event.(supervisor.PeerDown)
			return ok && h.at == a && e.Peer == b.id
		})
		if len(fell) > 0 || !proven(a, b) {
			return "", fmt.Errorf("the connection of %s to %s did not last", a.name, b.name)
		}
		return fmt.Sprintf("the connection of %s and %s stood all the time", a.name, b.name), nil
	}
}
