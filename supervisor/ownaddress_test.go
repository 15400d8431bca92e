package supervisor

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// answerDials listens at an IP address and answers the first message of each connection with data.
func answerDials(t *testing.T, n *memnet.Network, ip string, data []byte) {
	t.Helper()
	ln, err := n.Attach(ip).Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		if _, _, err := ws.Read(r.Context()); err == nil {
			_ = ws.Write(r.Context(), websocket.MessageText, data)
			_, _, _ = ws.Read(r.Context()) // until the node closes
		}
	})}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
}

// A dial of the node's own address fails with ErrOwnAddress, and is retried at exactly the maximum backoff.
func TestOwnAddressIsNamedAndRetriedAtTheMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.1:9091"} })
		time.Sleep(10*time.Minute - time.Nanosecond)
		failed := eventsOf[DialFailed](a)
		if len(failed) != 10 {
			t.Fatalf("%d dials failed in ten minutes, want 10", len(failed))
		}
		for _, f := range failed {
			if !errors.Is(f.Err, ErrOwnAddress) || f.RetryIn != time.Minute || strings.Contains(f.Err.Error(), "handshake") {
				t.Errorf("failure %+v, want ErrOwnAddress and a minute", f)
			}
		}
		if _, err := a.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrOwnAddress) {
			t.Errorf("connect: %v, want ErrOwnAddress", err)
		}
		a.wantSlots(0, 0)
	})
}

// A stranger claims our identity, and our own listener has not seen the dial's challenge: the dial fails like any
// other.
func TestClaimOfOurKeyFailsAsAnyDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys := newKeys(t, "a")
		id := keys.Identity()
		ack, err := wire.NewMessage(wire.MsgHandshakeAck, id.ID, "", wire.HandshakeAckPayload{
			Identity: wire.Identity{
				ID: id.ID, Name: id.Name, PublicKey: id.PublicKey, CreatedAt: id.CreatedAt,
				Role: string(id.Role),
			},
			Accepted: true, ChallengeResponse: make([]byte, 32),
		})
		if err != nil {
			t.Fatal(err)
		}
		data, err := ack.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		answerDials(t, n, "10.0.0.2", data)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.keys, s.cfg.Peers = keys, []string{"10.0.0.2:9091"} })
		synctest.Wait()
		failed := eventsOf[DialFailed](a)
		if len(failed) != 1 || errors.Is(failed[0].Err, ErrOwnAddress) || failed[0].RetryIn > 500*time.Millisecond {
			t.Errorf("failed %+v, want an ordinary failure", failed)
		}
	})
}

// A peer of the later dialect is dialled every five minutes, and at once for a caller.
func TestLaterDialectIsRetriedEveryFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		answerDials(t, n, "10.0.0.2", []byte(
			`{"id":"1","type":"handshake_ack","from":"","to":"","timestamp":"2030-01-01T00:00:00Z","payload":{}}`))
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(10*time.Minute - time.Nanosecond)
		failed := eventsOf[DialFailed](a)
		if len(failed) != 2 {
			t.Fatalf("%d dials failed in ten minutes, want 2", len(failed))
		}
		for _, f := range failed {
			if !errors.Is(f.Err, actors.ErrLaterDialect) || f.RetryIn != 5*time.Minute {
				t.Errorf("failure %+v, want ErrLaterDialect and five minutes", f)
			}
		}
		if _, err := a.Connect(&Peer{Address: "10.0.0.2:9091"}); !errors.Is(err, actors.ErrLaterDialect) {
			t.Errorf("connect: %v, want ErrLaterDialect at once", err)
		}
	})
}

// The listener neither counts nor logs a dial of its own node as a refused handshake: the dial reports it. The same
// challenge again, from a stranger, is counted.
func TestOwnDialIsNoRefusedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var lines bytes.Buffer
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.options = append(s.options, WithLogger(slog.New(slog.NewTextHandler(&lines, nil))))
		})
		if _, err := a.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrOwnAddress) {
			t.Errorf("connect: %v, want ErrOwnAddress", err)
		}
		synctest.Wait()
		a.wantCount(actors.HandshakesRejected, 0)
		a.wantCount(actors.DialsFailed, 1)
		if text := lines.String(); strings.Contains(text, "handshake refused") {
			t.Errorf("log:\n%s", text)
		}
		var sent challenge
		a.ownDials.add(sent)
		if first, second := a.ownDials.reflect(sent), a.ownDials.reflect(sent); !first || second {
			t.Errorf("reflected %v, then %v; want true once", first, second)
		}
	})
}
