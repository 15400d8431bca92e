package refpeer

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// startDeployed starts a deployed node on a loopback port and returns it with its URL.
func startDeployed(t *testing.T, o DeployedOptions) (*Deployed, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Identity, o.Listener = deployedIdentity(t, "deployed"), ln
	d := StartDeployed(o)
	t.Cleanup(d.Close)
	return d, "ws://" + ln.Addr().String() + "/ws"
}

func deployedIdentity(t *testing.T, name string) *Identity {
	t.Helper()
	id, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// awaitState waits for a condition on a deployed node and fails the test after 20 s.
func awaitState(t *testing.T, d *Deployed, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if d.Await(ctx, condition) != nil {
		t.Fatalf("condition not met after 20 s: %s", what)
	}
}

// A deployed node deletes the map entry of the new connection when the keepalive of the old connection fails. A further
// connection restores the entry.
func TestDeployedForgetsByPeerID(t *testing.T) {
	d, url := startDeployed(t, DeployedOptions{PingInterval: 500 * time.Millisecond})
	me := deployedIdentity(t, "me")
	dial := func(open int) *Conn {
		conn, err := Dial(t.Context(), url, Options{Identity: me})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		awaitState(t, d, "connected", func() bool { return len(d.Conns(me.ID)) == open && d.Knows(me.ID) })
		return conn
	}
	dial(1).Close()
	awaitState(t, d, "the entry is deleted at the end of the connection", func() bool { return !d.Knows(me.ID) })
	second := dial(1)
	awaitState(t, d, "the old keepalive deletes the new entry", func() bool { return !d.Knows(me.ID) })
	if got := len(d.Conns(me.ID)); got != 1 {
		t.Fatalf("%d open connections, want the second one", got)
	}
	if _, err := d.Send(me.ID, "chat", nil); !errors.Is(err, ErrNoEntry) {
		t.Errorf("send without an entry: %v", err)
	}
	if n := d.Broadcast("chat", nil); n != 0 {
		t.Errorf("a broadcast reached %d peers, want none", n)
	}
	third := dial(2)
	if _, err := d.Send(me.ID, "chat", "again"); err != nil {
		t.Errorf("send after a further connection: %v", err)
	}
	if _, err := third.RecvType(t.Context(), "chat"); err != nil {
		t.Error(err)
	}
	if _, err := second.Send("chat", d.o.Identity.ID, "over the second"); err != nil {
		t.Error(err)
	}
	awaitState(t, d, "the message of the second connection arrives", func() bool { return len(d.Received()) == 1 })
}

func TestDeployedChecksClaimedIDAndName(t *testing.T) {
	listed, stranger, dotted := deployedIdentity(t, "listed"), deployedIdentity(t, "stranger"),
		deployedIdentity(t, "host.example")
	d, url := startDeployed(t, DeployedOptions{
		PingInterval: time.Minute, Worker: true,
		Allow: []string{listed.ID, dotted.ID},
	})
	var refused *RefusedError
	if _, err := Dial(t.Context(), url, Options{Identity: stranger}); !errors.As(err, &refused) ||
		refused.Reason != "peer not authorized" {
		t.Errorf("dial of a stranger: %v, want a refusal", err)
	}
	for _, me := range []*Identity{listed, dotted} {
		conn, err := Dial(t.Context(), url, Options{Identity: me})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		awaitState(t, d, "connected", func() bool { return d.Knows(me.ID) })
		if _, err := conn.Send(TypePing, d.o.Identity.ID, map[string]int64{"sentAt": 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.RecvType(t.Context(), TypePong); err != nil {
			t.Errorf("no pong from a worker: %v", err)
		}
	}
	if !d.Registered(listed.ID) || d.Registered(dotted.ID) {
		t.Errorf("registered: listed %v, a name with dots %v; want true, false", d.Registered(listed.ID),
			d.Registered(dotted.ID))
	}
}
