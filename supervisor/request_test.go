package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// answerAfter makes a node answer each "question" with its own ID, after a delay.
func (n *testNode) answerAfter(delay time.Duration) {
	n.handler = func(c *PeerConnection, msg *wire.Message) {
		if msg.Type != "question" {
			return
		}
		time.Sleep(delay)
		reply, err := msg.Reply("answer", n.id())
		if err == nil {
			err = n.Send(c.Peer().ID, reply)
		}
		if err != nil {
			n.t.Error(err)
		}
	}
}

// requestAll asks several peers at once and returns the payloads and errors by position.
func requestAll(
	ctx context.Context, n *testNode, msg *wire.Message, peers ...*testNode,
) (texts []string, errs []error) {
	texts, errs = make([]string, len(peers)), make([]error, len(peers))
	done := make(chan struct{})
	for i, peer := range peers {
		go func() {
			reply, err := n.RequestContext(ctx, peer.id(), msg)
			if errs[i] = err; err == nil {
				errs[i] = reply.ParsePayload(&texts[i])
				clear(reply.Payload) // each caller owns its reply
			}
			done <- struct{}{}
		}()
	}
	for range peers {
		<-done
	}
	return texts, errs
}

func TestRequestReturnsAnErrorReplyAsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		b.handler = func(c *PeerConnection, msg *wire.Message) {
			if msg.Type != "question" {
				return
			}
			reply, err := wire.NewErrorMessage(b.id(), msg.From, wire.ErrCodeNotFound, "no such thing", msg.ID)
			if err == nil {
				err = c.Post(reply)
			}
			if err != nil {
				t.Error(err)
			}
		}
		a.dial(b)
		msg, err := wire.NewMessage("question", a.id(), b.id(), nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := a.Request(b.id(), msg)
		var remote *wire.RemoteError
		if reply != nil || !errors.As(err, &remote) || *remote != (wire.RemoteError{Code: 1003, Text: "no such thing"}) {
			t.Errorf("%v, %v", reply, err)
		}
	})
}

func TestRequestEndsAfterTheDefaultTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		msg, err := wire.NewMessage("question", a.id(), b.id(), nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = a.Request(b.id(), msg)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != DefaultRequestTimeout {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestBroadcastToRoleReachesOnlyThatRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1)
		var nodes []*testNode
		for i, role := range []crypto.NodeRole{crypto.RoleWorker, crypto.RoleController, crypto.RoleWorker} {
			nodes = append(nodes, startNode(t, n, i+2, func(s *nodeSetup) {
				keys, err := crypto.NewEphemeralNodeManager("node", role)
				if err != nil {
					t.Fatal(err)
				}
				s.keys = keys
			}))
			a.dial(nodes[i])
		}
		for role, want := range map[crypto.NodeRole]string{
			crypto.RoleWorker: "[1 0 1]", crypto.RoleController: "[0 1 0]", crypto.RoleDual: "[0 0 0]", "": "[1 1 1]",
		} {
			kind := wire.MessageType("to-" + role)
			msg, err := wire.NewMessage(kind, a.id(), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			result := a.BroadcastToRole(t.Context(), role, msg)
			time.Sleep(time.Second)
			got := []int{len(nodes[0].got(kind)), len(nodes[1].got(kind)), len(nodes[2].got(kind))}
			if fmt.Sprint(got) != want || result.Sent != strings.Count(want, "1") || result.Err() != nil {
				t.Errorf("to %q: %v, %+v, want %s", role, got, result, want)
			}
		}
	})
}

// One message is requested from two peers, twice from each. Every caller gets the answer of the peer that it asked.
func TestRequestSharesAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		b.answerAfter(100 * time.Millisecond)
		c.answerAfter(200 * time.Millisecond)
		a.dial(b)
		a.dial(c)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		asked := []*testNode{b, c, b, c}
		texts, errs := requestAll(ctx, a, a.to("", "question", nil), asked...)
		for i, peer := range asked {
			if errs[i] != nil || texts[i] != peer.id() {
				t.Errorf("request %d: %q, %v; want %s", i, texts[i], errs[i], peer.id())
			}
		}
		if k := len(a.replies.waiting); k != 0 || len(a.got("answer")) != 2 {
			t.Errorf("%d requests are awaited, %d answers handled; want 0 and 2", k, len(a.got("answer")))
		}
		if first := a.got("answer"); len(first) == 2 && a.payloadIsZero(first[0]) {
			t.Error("the handler's message is the caller's")
		}
	})
}

func (n *testNode) payloadIsZero(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, msg := range n.messages {
		if msg.ID == id {
			return len(msg.Payload) == 0 || msg.Payload[0] == 0
		}
	}
	return true
}

// A request continues to wait when its connection ends while its peer has another one. It ends with the last one.
func TestRequestFollowsPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		a.dial(b)
		ended := a.dial(c)
		ended.GracefulClose("enough", wire.DisconnectNormal)
		time.Sleep(time.Second)
		old := &PeerConnection{handle: ended.handle, peer: Peer{ID: b.id()}} // an earlier connection of b
		result := make(chan error, 1)
		wait := func(id string) {
			answer := a.replies.expect(request{b.id(), id})
			go func() { _, err := a.awaitReply(t.Context(), old, answer); result <- err }()
			synctest.Wait()
			if len(result) != 0 {
				t.Fatalf("the request ended with its first connection: %v", <-result)
			}
		}
		wait("first")
		a.replies.deliver(b.id(), &wire.Message{ReplyTo: "first"})
		if err := <-result; err != nil {
			t.Errorf("answered on the other connection: %v", err)
		}
		wait("second")
		a.GetConnection(b.id()).GracefulClose("enough", wire.DisconnectNormal)
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("the peer has left: %v, want ErrClosed", err)
		}
	})
}

// While the route of a peer is probed, a request goes out on the contender too: that the route is dead loses no
// request.
func TestRequestDuringAContestReachesTheContender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, old := startNode(t, n, 1), startNode(t, n, 2)
		old.dial(hub)
		old.host.Crash(true) // without a word
		back := startNode(t, n, 3, func(s *nodeSetup) { s.keys = old.keys })
		back.answerAfter(0)
		back.dial(hub)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if texts, errs := requestAll(ctx, hub, hub.to("", "question", nil), back); errs[0] != nil || texts[0] != back.id() {
			t.Errorf("answer %q, %v", texts[0], errs[0])
		}
	})
}
