package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// handlePair starts two connected nodes.
func handlePair(t *testing.T, n *memnet.Network) (a, b *testNode) {
	a, b = startNode(t, n, 1), startNode(t, n, 2)
	a.dial(b)
	return a, b
}

// asks sends a request and returns the type and payload of the reply, which must come within a minute.
func (n *testNode) asks(to *testNode, kind wire.MessageType, payload any) (wire.MessageType, string) {
	n.t.Helper()
	msg := n.to(to.id(), kind, payload)
	waiter := n.replies.expect(request{peer: to.id(), id: msg.ID})
	if err := n.Send(to.id(), msg); err != nil {
		n.t.Fatal(err)
	}
	select {
	case <-waiter.done:
		return waiter.reply.Type, string(waiter.reply.Payload)
	case <-time.After(time.Minute):
		return "none", ""
	}
}

func TestHandleRepliesInPlaceOfOnMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		b.Handle("double", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			var n int
			if err := msg.ParsePayload(&n); err != nil {
				return nil, err
			}
			return msg.Reply("doubled", 2*n)
		})
		b.Handle("silent", func(*PeerConnection, *wire.Message) (*wire.Message, error) { return nil, nil })
		if kind, payload := a.asks(b, "double", 21); kind != "doubled" || payload != "42" {
			t.Errorf("the reply is %s %s, want doubled 42", kind, payload)
		}
		for _, kind := range []wire.MessageType{"silent", "other"} {
			if err := a.Send(b.id(), a.to(b.id(), kind, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if n := [3]int{len(b.got("double")), len(b.got("silent")), len(b.got("other"))}; n != [3]int{0, 0, 1} {
			t.Errorf("OnMessage got %v messages of the types double, silent and other, want 0, 0 and 1", n)
		}
		if n := len(a.got("")) + len(a.got("error")); n != 0 {
			t.Errorf("a message without a reply was answered %d times", n)
		}
		b.Handle("silent", nil)
		if err := a.Send(b.id(), a.to(b.id(), "silent", nil)); err != nil {
			t.Fatal(err)
		}
		if n := len(b.got("silent")); n != 1 {
			t.Errorf("OnMessage got %d messages of a type whose handler was removed, want 1", n)
		}
	})
}

// A reply gets the fields that the handler leaves empty, also after the handler has changed the message.
func TestReplyHasAuthorRecipientAndReplyTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		b.Handle("by reply", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			return msg.Reply("answer", nil) // From is empty if msg is a broadcast
		})
		b.Handle("by type", func(from *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			*msg = wire.Message{}
			return from.NewMessage("answer", nil)
		})
		shared := b.to("", "answer", nil)
		shared.From = ""
		b.Handle("shared", func(*PeerConnection, *wire.Message) (*wire.Message, error) { return shared, nil })
		for _, kind := range []wire.MessageType{"by reply", "by type", "shared"} {
			msg := a.to("", kind, nil)
			if err := a.Broadcast(msg).Err(); err != nil {
				t.Fatal(err)
			}
			ids := a.got("answer")
			a.mu.Lock()
			last := a.messages[len(a.messages)-1]
			a.mu.Unlock()
			if len(ids) == 0 || last.From != b.id() || last.To != a.id() || last.ReplyTo != msg.ID {
				t.Errorf("%s: the reply is %+v", kind, last)
			}
		}
		if shared.From != "" || shared.To != "" || shared.ReplyTo != "" {
			t.Errorf("the handler's message was changed: %+v", shared)
		}
	})
}

func TestFailedHandlerRepliesWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		for kind, handle := range map[wire.MessageType]Handler{
			"fails": func(*PeerConnection, *wire.Message) (*wire.Message, error) {
				return nil, errors.New("the disk is full")
			},
			"both": func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
				reply, _ := msg.Reply("answer", nil)
				return reply, &wire.ErrorPayload{Code: wire.ErrCodeNotFound, Message: "no miner", Details: "m1"}
			},
			"panics":  func(*PeerConnection, *wire.Message) (*wire.Message, error) { panic("a secret") },
			"goexits": func(*PeerConnection, *wire.Message) (*wire.Message, error) { runtime.Goexit(); return nil, nil },
		} {
			b.Handle(kind, handle)
		}
		failed := `{"code":1004,"message":"the handler of this message failed"}`
		for kind, want := range map[wire.MessageType]string{
			"fails":   `{"code":1004,"message":"the disk is full"}`,
			"both":    `{"code":1003,"message":"no miner","details":"m1"}`,
			"panics":  failed,
			"goexits": failed,
		} {
			if reply, payload := a.asks(b, kind, nil); reply != wire.MsgError || payload != want {
				t.Errorf("%s: the reply is %s %s, want error %s", kind, reply, payload, want)
			}
		}
		b.wantCount(actors.HandlerPanics, 2)
		a.wantSlots(1, 0)
		if n := len(a.got("answer")); n != 0 {
			t.Errorf("%d replies were sent beside an error", n)
		}
	})
}

func TestErrorPayloadOfHandlerErrors(t *testing.T) {
	own := &wire.ErrorPayload{Code: wire.ErrCodeUnauthorized, Message: "no"}
	long := strings.Repeat("é", maxErrorText)
	for name, tt := range map[string]struct {
		err  error
		want wire.ErrorPayload
	}{
		"own payload":       {fmt.Errorf("refused: %w", own), *own},
		"malformed payload": {(&wire.Message{Payload: []byte("1")}).ParsePayload(new(string)), wire.ErrorPayload{Code: 1001}},
		"remote error": {
			fmt.Errorf("ask: %w", &wire.RemoteError{Code: 7, Text: "x"}), wire.ErrorPayload{Code: 7, Message: "x"},
		},
		"timeout":   {fmt.Errorf("ask: %w", context.DeadlineExceeded), wire.ErrorPayload{Code: 1005}},
		"other":     {errors.New("other"), wire.ErrorPayload{Code: 1004, Message: "other"}},
		"long text": {errors.New("x" + long), wire.ErrorPayload{Code: 1004, Message: "x" + long[:maxErrorText-2]}},
	} {
		got := errorPayload(tt.err)
		if got.Code != tt.want.Code || tt.want.Message != "" && *got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

// Two nodes whose handlers of errors fail exchange one error.
func TestErrorsAreNotAnsweredWithErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		var handled [2]atomic.Int32
		for i, n := range []*testNode{a, b} {
			for _, kind := range []wire.MessageType{wire.MsgError, wire.MsgPing, "bad"} {
				n.Handle(kind, func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
					if msg.Type == wire.MsgError {
						handled[i].Add(1)
					}
					return nil, errors.New("failed")
				})
			}
		}
		for _, kind := range []wire.MessageType{"bad", wire.MsgPing} {
			if err := a.Send(b.id(), a.to(b.id(), kind, wire.PingPayload{})); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if handled[0].Load() != 1 || handled[1].Load() != 0 {
			t.Errorf("the nodes got %d and %d errors, want 1 and 0", handled[0].Load(), handled[1].Load())
		}
	})
}

// A blocked handler delays all types of its own connection, and no other connection.
func TestHandlersRunInOrderOfTheirConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := handlePair(t, n)
		c := startNode(t, n, 3)
		c.dial(b)
		release := make(chan struct{})
		b.Handle("slow", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			<-release
			return msg.Reply("slow done", nil)
		})
		b.Handle("quick", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			return msg.Reply("quick done", nil)
		})
		for _, kind := range []wire.MessageType{"slow", "quick"} {
			if err := a.Send(b.id(), a.to(b.id(), kind, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if kind, _ := c.asks(b, "quick", nil); kind != "quick done" {
			t.Errorf("another connection got %s", kind)
		}
		if n := len(a.got("quick done")); n != 0 {
			t.Error("a message overtook the blocked one before it")
		}
		close(release)
		synctest.Wait()
		a.mu.Lock()
		defer a.mu.Unlock()
		var replies []string
		for _, msg := range a.messages {
			if !ownType(msg.Type) {
				replies = append(replies, string(msg.Type))
			}
		}
		if !slices.Equal(replies, []string{"slow done", "quick done"}) {
			t.Errorf("the replies are %q", replies)
		}
	})
}

func TestDroppedReplyIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := handlePair(t, memnet.New(1))
		b.Handle("large", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			return msg.Reply("answer", strings.Repeat("x", 2<<20))
		})
		b.Handle("echo", func(_ *PeerConnection, msg *wire.Message) (*wire.Message, error) { return msg, nil })
		b.Handle("closed", func(from *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			_ = from.GracefulClose("enough", wire.DisconnectNormal)
			<-from.handle.Done()
			return msg.Reply("answer", nil)
		})
		for i, kind := range []wire.MessageType{"large", "echo", "closed"} {
			if err := a.Send(b.id(), a.to(b.id(), kind, nil)); err != nil {
				t.Fatal(err)
			}
			b.wantCount(actors.RepliesDropped, uint64(i+1))
		}
	})
}
