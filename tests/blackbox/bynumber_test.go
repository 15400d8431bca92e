package blackbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// listed is an element of `node peers --output json` with its connections.
type listed struct {
	ID, Name, Address   string
	Connected, Verified bool
	Connection          uint64
	Connections         []struct {
		Connection         uint64
		Address, Direction string
		Verified           bool
	}
}

// listing returns the entry of one peer and fails if there is none.
func (n *node) listing(id string) listed {
	n.t.Helper()
	var all []listed
	n.json(&all, "peers")
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	n.Fatalf("peers lists no %s", id)
	return listed{}
}

// number returns the connection number of an event as an argument of the command.
func number(e event) string { return fmt.Sprint(uint64(e.Num("connection"))) }

// disconnected is the result of `node disconnect --output json`.
type disconnected struct {
	Peer       string
	Connection uint64
	Forgotten  bool
}

// TestDisconnectByNumberEndsTheClaimAlone: a stranger claims the identity of a connected peer. The listing shows its
// connection, the number ends it, and the peer notices nothing.
func TestDisconnectByNumberEndsTheClaimAlone(t *testing.T) {
	t.Parallel()
	hub, honest := pair(t)
	up := hub.Await("peer_up", "peer", honest.ID())
	stranger := claim(t, hub, honest, nil)
	go stranger.read(func(int, []byte) {})
	p := hub.listing(honest.ID())
	if !p.Connected || !p.Verified || fmt.Sprint(p.Connection) != number(up) || len(p.Connections) != 2 {
		hub.Fatalf("peers shows %+v, want the verified connection %s and the claim", p, number(up))
	}
	claimed := p.Connections[1]
	if claimed.Verified || claimed.Direction != "inbound" || claimed.Address != stranger.ws.LocalAddr().String() {
		t.Errorf("the claim is listed as %+v, want an unverified connection from %s", claimed, stranger.ws.LocalAddr())
	}
	if table := hub.ok("peers"); !strings.Contains(table, claimed.Address) || !strings.Contains(table, "CONNECTION") {
		t.Errorf("the table does not show the claim:\n%s", table)
	}
	var gone disconnected
	hub.json(&gone, "disconnect", "--connection", fmt.Sprint(claimed.Connection))
	if want := (disconnected{Peer: honest.ID(), Connection: claimed.Connection}); gone != want {
		t.Errorf("disconnect prints %+v, want %+v", gone, want)
	}
	if status := stranger.status(t); status != websocket.CloseNormalClosure {
		t.Errorf("the claim was closed with %d, want 1000", status)
	}
	id := strings.TrimSpace(hub.ok("send", honest.ID(), "still here"))
	honest.Await("message", "message.id", id)
	if p := hub.listing(honest.ID()); len(p.Connections) != 1 {
		t.Errorf("afterwards peers shows %+v, want one connection", p)
	}
	if down := hub.Count("peer_down") + honest.Count("peer_down"); down != 0 {
		t.Errorf("%d peers went down, want none", down)
	}
}

// TestDisconnectByNumberEndsAnUnverifiedConnection: no name and no id addresses it.
func TestDisconnectByNumberEndsAnUnverifiedConnection(t *testing.T) {
	t.Parallel()
	n := start(t)
	ghost := dialed(n, refpeer.Options{Identity: identity(t, "ghost"), Pong: false})
	up := n.Await("peer_up", "peer", ghost.self.ID, "verified", false)
	p := n.listing(ghost.self.ID)
	if fmt.Sprint(p.Connection) != number(up) || p.Verified || p.Address != up.Str("address") {
		t.Errorf("peers shows %+v, want connection %s from %s", p, number(up), up.Str("address"))
	}
	r := n.run("disconnect", ghost.self.ID)
	r.want(t, 4)
	r.says(t, "node disconnect --connection")
	if out := n.ok("disconnect", "--connection", number(up)); !strings.Contains(out, number(up)) {
		t.Errorf("disconnect prints %q, want the number", out)
	}
	n.Await("peer_down", "peer", ghost.self.ID, "code", float64(1000), "remote", false)
	ghost.awaitEnd()
	r = n.run("disconnect", "--connection", number(up))
	r.want(t, 4)
	r.says(t, "there is no connection "+number(up))
}

// TestDisconnectByNumberEndsAVerifiedConnection: the peer gets a disconnect message, and a persistent one
// reconnects with another number.
func TestDisconnectByNumberEndsAVerifiedConnection(t *testing.T) {
	t.Parallel()
	hub, honest := pair(t)
	up := hub.Await("peer_up", "peer", honest.ID())
	mark := hub.Mark()
	out := hub.ok("disconnect", "--connection", number(up))
	if !strings.Contains(out, "node revoke "+honest.Hello.Str("publicKey")) {
		t.Errorf("disconnect prints %q, want that `node revoke` keeps the peer away", out)
	}
	honest.Await("peer_down", "peer", hub.ID(), "code", float64(1000), "remote", true)
	hub.Await("peer_down", "peer", honest.ID(), "code", float64(1000), "remote", false)
	again := hub.AwaitAfter(mark, "peer_up", "peer", honest.ID())
	if number(again) == number(up) {
		t.Errorf("the number %s is used twice", number(up))
	}
}

// TestDisconnectNamesThePeerThatMayReturn: only a peer that has dialled this node may do so again.
func TestDisconnectNamesThePeerThatMayReturn(t *testing.T) {
	t.Parallel()
	hub, honest := pair(t)
	if out := hub.ok("disconnect", "beta"); !strings.Contains(out, "node revoke "+honest.Hello.Str("publicKey")) {
		t.Errorf("disconnect of an inbound peer prints %q, want `node revoke`", out)
	}
	honest.Await("peer_down", "peer", hub.ID(), "remote", true)
	honest.Await("peer_up", "peer", hub.ID())
	if out := honest.ok("disconnect", "alpha"); strings.Contains(out, "revoke") {
		t.Errorf("disconnect of an outbound peer prints %q", out)
	}
}

func TestDisconnectRefusesWrongNumbers(t *testing.T) {
	t.Parallel()
	n := start(t)
	for line, code := range map[string]int{
		"--connection 0": 2, "--connection -1": 2, "--connection x": 2, "--connection 1.5": 2,
		"--connection 1 somebody": 2, "--connection 1 --forget": 2, "--connection 18446744073709551616": 2,
		"--connection 18446744073709551615": 4, "--connection 1": 4,
	} {
		n.run(append([]string{"disconnect"}, strings.Fields(line)...)...).want(t, code)
	}
	complete := func() string {
		env := []string{"NODE_DATA_DIR=" + n.Data()}
		return command(t, n.Home(), "", env, "__complete", "disconnect", "--connection", "").stdout
	}
	if offers := complete(); offers != ":4\n" { // no offer, and no file names
		t.Errorf("completion offers %q without connections", offers)
	}
	ghost := dialed(n, refpeer.Options{Identity: identity(t, "ghost"), Pong: false})
	up := n.Await("peer_up", "peer", ghost.self.ID)
	if offers := complete(); !strings.HasPrefix(offers, number(up)+"\t") {
		t.Errorf("completion offers %q, want connection %s first", offers, number(up))
	}
}
