package supervisor_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// The tests below are the snippets of the transport page of the deployed implementation, as a program moves them over.
// Each difference from that page is a row of docs/migrating.md.

// movedNode creates identity, peer book and transport with the page's configuration: only its fields are set.
func movedNode(t *testing.T, name string) (*crypto.NodeManager, *supervisor.PeerRegistry, *supervisor.Transport) {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	nodeManager, err := crypto.NewNodeManager()
	if err != nil {
		t.Fatal(err)
	}
	if err := nodeManager.Generate(name, crypto.RoleWorker); err != nil {
		t.Fatal(err)
	}
	peerRegistry := supervisor.NewPeerRegistry()
	cfg := supervisor.TransportConfig{
		ListenAddr:     "127.0.0.1:0",
		WSPath:         "/ws",
		TLSCertPath:    "",
		TLSKeyPath:     "",
		MaxConns:       100,
		MaxMessageSize: 1 << 20,
		PingInterval:   30 * time.Second,
		PongTimeout:    10 * time.Second,
	}
	transport, err := supervisor.NewTransport(nodeManager, peerRegistry, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return nodeManager, peerRegistry, transport
}

func TestTransportPageConfigCompiles(t *testing.T) {
	cfg := supervisor.DefaultTransportConfig()
	if cfg.ListenAddr != ":9091" || cfg.WSPath != "/ws" || cfg.MaxConns != 100 || cfg.MaxMessageSize != 1<<20 ||
		cfg.PingInterval != 30*time.Second || cfg.PongTimeout != 10*time.Second {
		t.Errorf("the defaults are %+v", cfg)
	}
	codes := []wire.DisconnectCode{
		wire.DisconnectNormal, wire.DisconnectGoingAway, wire.DisconnectProtocolErr, wire.DisconnectTimeout,
		wire.DisconnectShutdown,
	}
	if want := []wire.DisconnectCode{1000, 1001, 1002, 1003, 1004}; !slices.Equal(codes, want) {
		t.Errorf("disconnect codes %v, want %v", codes, want)
	}
}

func TestTransportPageLifecycleRuns(t *testing.T) {
	_, serverRegistry, server := movedNode(t, "server")
	nodeManager, _, transport := movedNode(t, "client")
	if err := serverRegistry.Allow(nodeManager.PublicKey()); err != nil {
		t.Fatal(err)
	}
	if err := serverRegistry.SetAuthMode(supervisor.PeerAuthAllowlist); err != nil {
		t.Fatal(err)
	}
	got, ends := make(chan string, 8), make(chan wire.DisconnectPayload, 1)
	// Set message handler before Start() to avoid races
	server.OnMessage(func(conn *supervisor.PeerConnection, msg *wire.Message) {
		if msg.Type == wire.MsgGetStats {
			var how string
			if msg.ParsePayload(&how) == nil && conn.Peer().ID == msg.From {
				got <- how
			}
		}
	})
	server.Handle(wire.MsgDisconnect, func(_ *supervisor.PeerConnection, msg *wire.Message) (*wire.Message, error) {
		var end wire.DisconnectPayload
		err := msg.ParsePayload(&end)
		ends <- end
		return nil, err
	})
	must(t, server.Start())
	must(t, transport.Start())

	peer := &supervisor.Peer{Address: server.Addr().String()} // the ID is filled in
	peerConn, err := transport.Connect(peer)
	must(t, err)
	peerID := peer.ID
	if peerID != server.Identity().ID || peer.Name != "server" || peerConn.Peer().ID != peerID {
		t.Errorf("connected to %+v", peer)
	}
	message := func(to, how string) *wire.Message {
		msg, err := wire.NewMessage(wire.MsgGetStats, nodeManager.Identity().ID, to, how)
		must(t, err)
		return msg
	}
	must(t, transport.Send(peerID, message(peerID, "Send")))
	must(t, peerConn.Send(message(peerID, "PeerConnection.Send")))
	must(t, transport.Broadcast(message("", "Broadcast")).Err())
	for _, want := range []string{"Send", "PeerConnection.Send", "Broadcast"} {
		if how := <-got; how != want {
			t.Errorf("received %q, want %q", how, want)
		}
	}

	count := transport.ConnectedPeers()
	conn := transport.GetConnection(peerID)
	seen := 0
	for pc := range transport.Connections() {
		if pc.Peer().ID == peerID && !pc.LastActivity().After(time.Now()) {
			seen++
		}
	}
	if count != 1 || conn != peerConn || seen != 1 {
		t.Errorf("%d peers, connection %p of %p, %d in the loop", count, conn, peerConn, seen)
	}

	must(t, peerConn.GracefulClose("shutting down", wire.DisconnectShutdown))
	if end := <-ends; end.Code != wire.DisconnectShutdown || end.Reason != "shutting down" {
		t.Errorf("the peer was told %+v", end)
	}
	must(t, transport.Stop())
	must(t, server.Stop())
}

func TestTransportPagePartsWork(t *testing.T) {
	now := time.Now()
	limiter := actors.NewPeerRateLimiter(100, 50, now) // burst, tokens per second
	taken := 0
	for limiter.Take(now) {
		taken++
	}
	if taken != 100 || !limiter.Take(now.Add(20*time.Millisecond)) {
		t.Errorf("%d messages at once, or none after 20 ms", taken)
	}

	const ids, share = 1000, 100
	dedup, err := supervisor.NewMessageDeduplicator(5*time.Minute, ids, share, now, bytes.NewReader(make([]byte, 16)))
	must(t, err)
	request, err := wire.NewMessage(wire.MsgGetStats, "a", "b", nil)
	must(t, err)
	first, second := dedup.For("a").Seen(request, now), dedup.For("a").Seen(request, now)
	if first != actors.Fresh || second != actors.Duplicate {
		t.Errorf("a message is %v and then %v", first, second)
	}

	failure, err := wire.NewErrorMessage("b", "a", wire.ErrCodeOperationFailed, "no miner", request.ID)
	must(t, err)
	data, err := wire.MarshalJSON(failure)
	must(t, err)
	if !bytes.Contains(data, []byte(`"payload":{"code":1004,"message":"no miner"},"replyTo":"`+request.ID+`"`)) {
		t.Errorf("the error message is %s", data)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
