package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// withMesh starts members a, b and c with one peer, which is connected to a.
func withMesh(t *testing.T, run func(t *testing.T, m *mesh, p *host)) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a"})
		m.pass(time.Second)
		m.check()
		run(t, m, p)
	})
}

// message returns a message of the node to a peer.
func message(t *testing.T, to *host, text string) *wire.Message {
	t.Helper()
	msg, err := wire.NewMessage(testType, nodeID(), to.id(), text)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// forwarded returns a member's counters of forwarded messages.
func (h *host) forwarded() (sent, failed uint64) {
	status, err := h.Status(context.Background())
	if err != nil {
		h.mesh.t.Error(err)
		return 0, 0
	}
	return status.Counters["clusterForwarded"], status.Counters["clusterForwardFailed"]
}

func TestSendReachesThePeerOfAnotherMember(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		var want []string
		for i := range 30 {
			from := m.hosts[string(rune('a'+i%3))]
			if err := from.send(p.id(), fmt.Sprint(i)); err != nil {
				t.Errorf("from %s: %v", from.name, err)
			}
			want = append(want, fmt.Sprintf("%q", fmt.Sprint(i)))
		}
		m.pass(time.Second)
		if got := p.messages(); !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
		for name, want := range map[string]uint64{"a": 0, "b": 10, "c": 10} {
			if sent, failed := m.hosts[name].forwarded(); sent != want || failed != 0 {
				t.Errorf("%s forwarded %d and failed %d, want %d and 0", name, sent, failed, want)
			}
		}
	})
}

func TestSendToAPeerOfNoMemberFailsAtOnce(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		stranger := keysOf("stranger").Identity().ID
		began := time.Now()
		if err := m.hosts["b"].send(stranger, "lost"); !errors.Is(err, supervisor.ErrNotConnected) {
			t.Errorf("error %v", err)
		}
		own := message(t, p, "reflected")
		own.From = p.id()
		if err := m.hosts["b"].Send(p.id(), own); !errors.Is(err, supervisor.ErrInvalidMessage) {
			t.Errorf("a message of the peer itself: %v", err)
		}
		if err := m.hosts["b"].Send(p.id(), nil); err == nil {
			t.Error("no error for no message")
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("took %v", took)
		}
	})
}

// answering makes a peer answer requests by their text: at once, with an error, or never.
func answering(p *host, asked *int) {
	p.Handle("ask", func(_ *supervisor.PeerConnection, msg *wire.Message) (*wire.Message, error) {
		*asked++
		switch string(msg.Payload) {
		case `"answer"`:
			return msg.Reply("told", "the answer")
		case `"error"`:
			return nil, &wire.ErrorPayload{Code: wire.ErrCodeNotFound, Message: "no such thing"}
		default:
			return nil, nil
		}
	})
}

func TestRequestFromAnotherMemberReturnsTheAnswer(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		asked := 0
		answering(p, &asked)
		request := func(ctx context.Context, text string) (*wire.Message, error) {
			msg := message(t, p, text)
			msg.Type = "ask"
			return m.hosts["b"].RequestContext(ctx, p.id(), msg)
		}
		reply, err := request(t.Context(), "answer")
		if err != nil || reply.Type != "told" || reply.From != p.id() || string(reply.Payload) != `"the answer"` {
			t.Errorf("reply %+v, %v", reply, err)
		}
		var remote *wire.RemoteError
		if _, err = request(t.Context(), "error"); !errors.As(err, &remote) || remote.Code != wire.ErrCodeNotFound ||
			remote.Text != "no such thing" {
			t.Errorf("error %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		began := time.Now()
		if _, err = request(ctx, "silence"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 7*time.Second {
			t.Errorf("timeout: %v after %v", err, time.Since(began))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if _, err = request(ctx, "silence"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		m.pass(time.Second)
		if asked != 4 {
			t.Errorf("the peer was asked %d times, want 4", asked)
		}
		if sent, failed := m.hosts["b"].forwarded(); sent != 2 || failed != 2 {
			t.Errorf("forwarded %d and failed %d, want 2 and 2", sent, failed)
		}
	})
}

func TestSendConfirmedFromAnotherMember(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		msg := message(t, p, "sure")
		if err := m.hosts["c"].SendConfirmed(t.Context(), p.id(), msg); err != nil {
			t.Error(err)
		}
		old := message(t, p, "old")
		old.From, old.Timestamp = keysOf("author").Identity().ID, old.Timestamp.Add(-time.Hour)
		err := m.hosts["c"].SendConfirmed(t.Context(), p.id(), old)
		var refused *supervisor.NotAcceptedError
		if !errors.As(err, &refused) || refused.Receipt != wire.ReceiptStale {
			t.Errorf("a stale message: %v", err)
		}
		if got := p.messages(); !slices.Equal(got, []string{`"sure"`}) {
			t.Errorf("received %q", got)
		}
	})
}

// An actor's messages reach the peers of other members, and are answered.
func TestActorsReachPeersOfOtherMembers(t *testing.T) {
	withMesh(t, func(t *testing.T, m *mesh, p *host) {
		asked := 0
		answering(p, &asked)
		pid, root := m.hosts["b"].PID(), m.system.Root
		ask := func(msg any) any {
			answer, err := root.RequestFuture(pid, msg, time.Minute).Result()
			if err != nil {
				t.Errorf("%T: %v", msg, err)
			}
			return answer
		}
		one := message(t, p, "one")
		if sent, ok := ask(&supervisor.Send{Peer: p.id(), Message: one}).(*supervisor.Sent); !ok || sent.Err != nil ||
			sent.ID != one.ID {
			t.Errorf("Send: %+v", sent)
		}
		bad := message(t, p, "bad")
		bad.From = p.id()
		sent, ok := ask(&supervisor.Send{Peer: p.id(), Message: bad}).(*supervisor.Sent)
		if !ok || !errors.Is(sent.Err, supervisor.ErrInvalidMessage) {
			t.Errorf("Send of an invalid message: %+v", sent)
		}
		question := message(t, p, "answer")
		question.Type = "ask"
		if r, ok := ask(&supervisor.Request{Peer: p.id(), Message: question}).(*supervisor.Replied); !ok || r.Err != nil ||
			string(r.Reply.Payload) != `"the answer"` {
			t.Errorf("Request: %+v", r)
		}
		news := message(t, p, "news")
		news.To = ""
		if b, ok := ask(&supervisor.Broadcast{Message: news}).(*supervisor.Broadcasted); !ok || b.Sent != 1 || b.Err != nil ||
			b.ID != news.ID {
			t.Errorf("Broadcast: %+v", b)
		}
		m.pass(time.Second)
		if got := p.messages(); !slices.Equal(got, []string{`"one"`, `"news"`}) {
			t.Errorf("received %q", got)
		}
	})
}

// Each peer of three members gets a broadcast once, its author does not, and a role is respected.
func TestBroadcastReachesThePeersOfAllMembersOnce(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		var peers []*host
		for i := range 6 {
			name := fmt.Sprintf("peer%d", i)
			h := m.host(name)
			role := crypto.RoleDual
			if i >= 4 {
				role = crypto.RoleWorker
			}
			to := m.hosts[string(rune('a'+i%3))].address()
			h.start(keysOfRole(name, role), []func(*supervisor.TransportConfig){
				func(c *supervisor.TransportConfig) { c.Peers = []string{to} },
			})
			peers = append(peers, h)
		}
		m.pass(5 * time.Second)
		m.check()
		all, workers := message(t, peers[0], "all"), message(t, peers[0], "workers")
		all.To, workers.To, all.From = "", "", peers[0].id() // relayed for its author, a peer of a
		sum := m.hosts["b"].Broadcast(all)
		if sum.Err() != nil || sum.Sent != 5 {
			t.Errorf("result %+v", sum)
		}
		sum = m.hosts["c"].BroadcastToRole(t.Context(), crypto.RoleWorker, workers)
		if sum.Err() != nil || sum.Sent != 2 {
			t.Errorf("result for workers %+v", sum)
		}
		m.pass(time.Second)
		for i, p := range peers {
			want := []string{`"all"`}
			if i == 0 {
				want = nil
			}
			if i >= 4 {
				want = append(want, `"workers"`)
			}
			if got := p.messages(); !slices.Equal(got, want) {
				t.Errorf("%s received %q, want %q", p.name, got, want)
			}
		}
	})
}
