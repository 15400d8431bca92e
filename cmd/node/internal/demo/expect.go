package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// connected expects a verified connection between two members.
func connected(first, second memberFunc) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := first(m), second(m)
		text := fmt.Sprintf("%s and %s are connected, both verified", a.name, b.name)
		return text, m.await(ctx, text, func() bool { return verified(a, b) && verified(b, a) })
	}
}

func verified(at, peer *member) bool {
	c := at.GetConnection(peer.id)
	return c != nil && c.Verified()
}

// arrived expects exactly one message of a type at a member in this step, and reports its latency.
func arrived(at memberFunc, kind wire.MessageType) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		w := at(m)
		var got []happening
		err := m.await(ctx, fmt.Sprintf("%s receives one message of type %s", w.name, kind), func() bool {
			got = m.messages(w, kind)
			return len(got) > 0
		})
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("expected one message of type %s at %s, got %d", kind, w.name, len(got))
		}
		if err != nil {
			return "", err
		}
		latency := milliseconds(got[0].when.Sub(got[0].msg.Timestamp))
		return fmt.Sprintf("%s has %s ×1, the last after %.2f ms", w.name, kind, latency), nil
	}
}

func (m *mesh) messages(at *member, kind wire.MessageType) []happening {
	return m.seen(func(h happening) bool { return h.at == at && h.msg != nil && h.msg.Type == kind })
}

// roundTrip expects a pong for a ping.
func roundTrip(from, to memberFunc) expectation {
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

// counted expects that a counter grows in this step.
func counted(at memberFunc, counter string) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		w := at(m)
		text := func(n uint64) string { return fmt.Sprintf("%s counts %s +%d", w.name, counter, n) }
		err := m.await(ctx, text(1), func() bool { return m.growth(w, counter) >= 1 })
		return text(m.growth(w, counter)), err
	}
}

// answered expects the answer to a question. It repeats a question that is dropped, for example by a rate limiter. The
// reported line begins with how. It counts the dropped questions, since the counters of the step contain them.
func answered(how string, from, to memberFunc) expectation {
	return func(ctx context.Context, m *mesh) (string, error) {
		a, b := from(m), to(m)
		begun := time.Now()
		var last error
		unanswered := 0
		for ctx.Err() == nil {
			if last = m.ask(ctx, a, b, 250*time.Millisecond); last == nil {
				line := fmt.Sprintf("%s: %s asks and %s answers, %.1f ms later", how, a.name, b.name,
					milliseconds(time.Since(begun)))
				if unanswered > 0 {
					line += fmt.Sprintf("; questions before it without an answer: %d", unanswered)
				}
				return line, nil
			}
			if errors.Is(last, context.DeadlineExceeded) {
				unanswered++
			}
			wait(ctx, recheck)
		}
		return "", fmt.Errorf("%s gets no answer from %s: %w", a.name, b.name, last)
	}
}

// back expects that a member lost its connection to a peer and has a new one.
func back(at, peer memberFunc) expectation {
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
		took := milliseconds(up[0].when.Sub(down[0].when))
		return fmt.Sprintf("%s lost %s (%s) and had it again %.0f ms later", a.name, b.name, lost.Reason, took), nil
	}
}

// untouched expects that the connection between two members did not end in this step.
func untouched(at, peer memberFunc) expectation {
	return func(_ context.Context, m *mesh) (string, error) {
		a, b := at(m), peer(m)
		fell := m.seen(func(h happening) bool {
			e, ok := h.event.(supervisor.PeerDown)
			return ok && h.at == a && e.Peer == b.id
		})
		if len(fell) > 0 || !verified(a, b) {
			return "", fmt.Errorf("the connection of %s to %s did not last", a.name, b.name)
		}
		return fmt.Sprintf("the connection of %s and %s did not end", a.name, b.name), nil
	}
}
