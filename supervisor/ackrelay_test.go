package supervisor

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// startAckRelay starts a relay without a key at port 9091 of a host. It forwards the handshake of each dial to a node,
// changes the payload of the ack, and forwards nothing else.
func startAckRelay(t *testing.T, host *memnet.Host, to string, change func(payload map[string]any)) {
	t.Helper()
	ln, err := host.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer in.CloseNow()
		transport := &http.Transport{DialContext: host.DialContext, DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		out, _, err := websocket.Dial(r.Context(), "ws://"+to+"/ws", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport},
		})
		if err != nil {
			t.Error(err)
			return
		}
		defer out.CloseNow()
		passAckOn(t, in, out, change)
		for { // reads and drops everything that the dialler sends
			if _, _, err := in.Read(context.Background()); err != nil {
				return
			}
		}
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(ln) // until Close
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
}

// passAckOn forwards the first message of each side, the second one changed.
func passAckOn(t *testing.T, in, out *websocket.Conn, change func(payload map[string]any)) {
	ctx := context.Background()
	_, handshake, err := in.Read(ctx)
	if err == nil {
		err = out.Write(ctx, websocket.MessageText, handshake)
	}
	var ack []byte
	if err == nil {
		_, ack, err = out.Read(ctx)
	}
	var envelope map[string]any
	if err == nil {
		err = json.Unmarshal(ack, &envelope)
	}
	if err == nil {
		change(envelope["payload"].(map[string]any))
		ack, err = json.Marshal(envelope)
	}
	if err == nil {
		err = in.Write(ctx, websocket.MessageText, ack)
	}
	if err != nil {
		t.Error(err)
	}
}

// slowRate makes an ack announce an inbound limit of a burst of two and one per 1,000 s.
func slowRate(payload map[string]any) { payload["features"] = []string{"rate/2/0.001"} }

// A relay forwards an ack with another rate, before or after the honest dial. The connection through the relay is never
// verified, since a peer that announces a rate must bind its frames. The honest connection keeps its pace.
func TestRelayedRateSpoilsNoHonestPace(t *testing.T) {
	for _, order := range []string{"honest relayed", "relayed honest"} {
		t.Run(order, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { relayedRate(t, strings.Fields(order)) })
		})
	}
}

func relayedRate(t *testing.T, order []string) {
	n := memnet.New(1)
	a, d := startNode(t, n, 1), startDeployed(t, n, 30*time.Second)
	startAckRelay(t, n.Attach("10.0.0.9"), "10.0.0.2:9091", slowRate)
	var honest *PeerConnection
	var relayed <-chan result
	for _, which := range order {
		if which == "relayed" {
			relayed = a.heldDial("10.0.0.9:9091")
			continue
		}
		var err error
		if honest, err = a.Connect(&Peer{Address: "10.0.0.2:9091"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		// The deployed node sends on the newest connection, and the relay drops that.
		if _, err := d.Send(a.id(), "chat", nil); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(5 * time.Second) // the honest bucket is full
	wantAtOnce := func(when string) {
		t.Helper()
		before := len(d.Received())
		a.post(honest, 90)
		if got := len(d.Received()) - before; got != 90 {
			t.Errorf("%s: %d of 90 messages arrived at once", when, got)
		}
	}
	wantAtOnce("beside the relay")
	wantResult(t, "the dial through the relay", relayed, ErrHandshake, 10*time.Second)
	time.Sleep(20 * time.Second)
	wantAtOnce("after the relay")
	a.wantCount(actors.MessagesOverPeerRate, 0)
}

// A relay changes the name and the features in an ack and forwards no frame: the peer book keeps its entry.
func TestRelayedAckRenamesNoKnownPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, d := startNode(t, n, 1), startDeployed(t, n, 30*time.Second)
		id := d.Identity().ID
		if _, err := a.ConnectAddress(t.Context(), "10.0.0.2:9091"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before, known := a.book.Get(id)
		if !known || before.Name != "deployed" {
			t.Fatalf("the book has %+v", before)
		}
		startAckRelay(t, n.Attach("10.0.0.9"), "10.0.0.2:9091", func(payload map[string]any) {
			payload["identity"].(map[string]any)["name"] = "bank"
			payload["identity"].(map[string]any)["role"] = "controller"
		})
		if _, err := a.Connect(&Peer{Address: "10.0.0.9:9091"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		after, _ := a.book.Get(id)
		if after.Name != before.Name || after.Role != before.Role || after.NamedAt != before.NamedAt ||
			after.Address != before.Address {
			t.Errorf("the book has %+v, want %+v", after, before)
		}
	})
}
