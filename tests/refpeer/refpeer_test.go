package refpeer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func identity(t *testing.T, name string) *Identity {
	t.Helper()
	id, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// testContext returns a context that ends with the test, or after a minute; no test needs that long.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func listen(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// pair connects two reference peers and returns the initiator's end, then the responder's.
func pair(t *testing.T, initiator, responder Options) (*Conn, *Conn) {
	t.Helper()
	ctx := testContext(t)
	s := listen(t, responder)
	a, err := Dial(ctx, "ws://"+s.Addr()+"/ws", initiator)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	b, err := s.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestHandshakeOpensBothDirections(t *testing.T) {
	ctx := testContext(t)
	idA, idB := identity(t, "a"), identity(t, "b")
	a, b := pair(t, Options{Identity: idA, Features: []string{"single-connection"}}, Options{Identity: idB})
	if a.Peer() != idB.Public || b.Peer() != idA.Public {
		t.Fatalf("identities: a sees %+v, b sees %+v", a.Peer(), b.Peer())
	}
	if len(a.Features()) != 0 || len(b.Features()) != 1 || b.Features()[0] != "single-connection" {
		t.Fatalf("features: a sees %q, b sees %q", a.Features(), b.Features())
	}
	for i := range 100 {
		id, err := a.Send("chat", idB.ID, i)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != id || got.Type != "chat" || got.From != idA.ID || got.To != idB.ID ||
			string(got.Payload) != strconv.Itoa(i) {
			t.Fatalf("message %d arrived as %+v", i, got)
		}
		if err := b.Reply(got, "answer", "<&>"); err != nil {
			t.Fatal(err)
		}
		back, err := a.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if back.ReplyTo != id || string(back.Payload) != `"<&>"` {
			t.Fatalf("answer to %s arrived as %+v", id, back)
		}
	}
	if err := a.Disconnect("done", 1000); err != nil {
		t.Fatal(err)
	}
	bye, err := b.Recv(ctx)
	if err != nil || bye.Type != TypeDisconnect || string(bye.Payload) != `{"code":1000,"reason":"done"}` {
		t.Fatalf("disconnect: %+v, %v", bye, err)
	}
	if _, err := b.Recv(ctx); err == nil {
		t.Fatal("b received a message after the disconnect")
	}
	<-b.Done()
}

func TestResponderSendsReasonOfRefusal(t *testing.T) {
	self := identity(t, "self")
	tests := map[string]struct {
		initiator, responder Options
		reason               string
	}{
		"by choice": {
			initiator: Options{Identity: self},
			responder: Options{Refuse: "peer not authorized"},
			reason:    "peer not authorized",
		},
		"version": {
			initiator: Options{Identity: self, Spoil: func(p map[string]any) { p["version"] = "0.9" }},
			reason:    "incompatible protocol version 0.9, supported: [1.0]",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			tt.responder.Identity = identity(t, "b")
			s := listen(t, tt.responder)
			_, err := Dial(ctx, "ws://"+s.Addr()+"/ws", tt.initiator)
			var seen, told *RefusedError
			if !errors.As(err, &seen) || seen.Reason != tt.reason {
				t.Errorf("initiator got %v, want the reason %q", err, tt.reason)
			}
			if err := s.Refused(ctx); !errors.As(err, &told) || told.Reason != tt.reason {
				t.Errorf("responder reports %v, want the reason %q", err, tt.reason)
			}
		})
	}
}

func TestInitiatorRejectsWrongResponse(t *testing.T) {
	s := listen(t, Options{Identity: identity(t, "b"), Spoil: func(p map[string]any) {
		p["challengeResponse"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	}})
	_, err := Dial(testContext(t), "ws://"+s.Addr()+"/ws", Options{Identity: identity(t, "a")})
	if !errors.Is(err, ErrBadResponse) {
		t.Fatalf("got %v, want ErrBadResponse", err)
	}
}

func TestDialReportsTheHTTPStatus(t *testing.T) {
	s := listen(t, Options{Identity: identity(t, "b")})
	_, err := Dial(testContext(t), "ws://"+s.Addr()+"/elsewhere", Options{Identity: identity(t, "a")})
	var status *StatusError
	if !errors.As(err, &status) || status.Code != http.StatusNotFound {
		t.Fatalf("got %v, want status 404", err)
	}
}

func TestPongEchoesSentAt(t *testing.T) {
	ctx := testContext(t)
	a, _ := pair(t, Options{Identity: identity(t, "a")}, Options{Identity: identity(t, "b"), Pong: true})
	id, err := a.Send(TypePing, a.Peer().ID, map[string]int64{"sentAt": 1234567890123})
	if err != nil {
		t.Fatal(err)
	}
	pong, err := a.RecvType(ctx, TypePong)
	if err != nil {
		t.Fatal(err)
	}
	var times struct{ SentAt, ReceivedAt int64 }
	if err := json.Unmarshal(pong.Payload, &times); err != nil || pong.ReplyTo != id || times.SentAt != 1234567890123 ||
		times.ReceivedAt == 0 {
		t.Fatalf("pong %+v, %v", pong, err)
	}
}

func TestStalledPeerReadsNothingUntilResume(t *testing.T) {
	ctx := testContext(t)
	a, b := pair(t, Options{Identity: identity(t, "a")}, Options{Identity: identity(t, "b"), Stall: true})
	for i := range 3 {
		if _, err := a.Send("chat", "", i); err != nil {
			t.Fatal(err)
		}
	}
	expired, cancel := context.WithCancel(ctx)
	cancel()
	if e, err := b.Recv(expired); !errors.Is(err, context.Canceled) {
		t.Fatalf("a stalled peer received %+v, %v", e, err)
	}
	b.Resume()
	for i := range 3 {
		if e, err := b.Recv(ctx); err != nil || string(e.Payload) != strconv.Itoa(i) {
			t.Fatalf("message %d arrived as %+v, %v", i, e, err)
		}
	}
}

func TestUnopenableFramesAreCountedAndSkipped(t *testing.T) {
	ctx := testContext(t)
	a, b := pair(t, Options{Identity: identity(t, "a")}, Options{Identity: identity(t, "b")})
	wrongKey, err := Seal(`{"id":"x"}`, "another password")
	if err != nil {
		t.Fatal(err)
	}
	for _, frame := range [][]byte{nil, []byte("hello"), wrongKey} {
		if err := a.SendRaw(frame); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Send("chat", "", "after"); err != nil {
		t.Fatal(err)
	}
	if e, err := b.Recv(ctx); err != nil || string(e.Payload) != `"after"` {
		t.Fatalf("got %+v, %v", e, err)
	}
	if n := b.Unopened(); n != 3 {
		t.Fatalf("%d frames counted as unopened, want 3", n)
	}
}

func TestOversizedMessageClosesWith1009(t *testing.T) {
	a, b := pair(t, Options{Identity: identity(t, "a")}, Options{Identity: identity(t, "b")})
	if err := a.SendRaw(make([]byte, maxMessageSize+1)); err != nil {
		t.Logf("the connection closed during the write: %v", err)
	}
	<-a.Done()
	<-b.Done()
	// Check the receiver only: a reset may drop its close frame on the way to the sender.
	if !errors.Is(b.Err(), websocket.ErrReadLimit) {
		t.Fatalf("receiver ended with %v, want the read limit", b.Err())
	}
}
