package supervisor

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/memnet"
)

// An announced agent reaches Peers and the peer book at strength Bound, and disappears with a connection without one.
func TestPeersShowTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1)
		b := startNode(t, n, 2, func(s *nodeSetup) { s.cfg.Agent = "go-p2p 1.2" })
		b.dial(a)
		wantAgent := func(node *testNode, peer, want string) {
			t.Helper()
			peers, err := node.Peers(t.Context())
			if err != nil || len(peers) != 1 || peers[0].ID != peer || peers[0].Agent != want {
				t.Errorf("%+v, %v; want the agent %q", peers, err, want)
			}
		}
		synctest.Wait()
		wantAgent(a, b.id(), "go-p2p 1.2")
		wantAgent(b, a.id(), "")
		claimed := a.GetConnection(b.id())
		if claimed.Agent() != "go-p2p 1.2" {
			t.Errorf("the connection has the agent %q", claimed.Agent())
		}
		claimed.setStrength(Unmarked)
		a.book.Update(b.id(), (*Peer).ForgetProtocol)
		wantAgent(a, b.id(), "")
	})
}

func TestConfigRefusesAnInvalidAgent(t *testing.T) {
	for agent, ok := range map[string]bool{
		"": true, "go-p2p 1.2": true, strings.Repeat("x", 58): true,
		strings.Repeat("x", 59): false, "a\n": false, "\u00fc": false,
	} {
		if err := (TransportConfig{Agent: agent}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", agent, err)
		}
	}
}

// Peers count the messages of their connections, and show by how much a peer's clock differs.
func TestPeersShowTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		b.dial(a)
		synctest.Wait()
		before := a.GetConnection(b.id()).Traffic()
		for range 3 {
			if err := b.Send(a.id(), b.to(a.id(), "chat", "x")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		peers, err := a.Peers(t.Context())
		if err != nil || len(peers) != 1 || peers[0].Traffic.Received != before.Received+3 ||
			peers[0].Traffic.Sent != before.Sent || peers[0].Traffic.Dropped != 0 {
			t.Errorf("%+v, %v; before %+v", peers, err, before)
		}
		sent := b.GetConnection(a.id()).Traffic()
		if sent.Sent != peers[0].Traffic.Received {
			t.Errorf("sent %d, received %d", sent.Sent, peers[0].Traffic.Received)
		}
	})
}

// KeptAddresses lists connected and waiting addresses; Dials only the waiting ones.
func TestKeptAddressesListsConnectedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr, "10.0.0.9:1"} })
		if err := a.AwaitFirstDials(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		all, err := a.KeptAddresses(t.Context())
		if err != nil || len(all) != 2 || all[0].Address != b.addr || !all[0].Connected || all[0].Peer != b.id() ||
			all[1].Connected || all[1].NextDial.IsZero() || all[1].Failures != 1 || all[1].LastError == nil {
			t.Errorf("%+v, %v", all, err)
		}
		if dials, err := a.Dials(t.Context()); err != nil || len(dials) != 1 || dials[0].Address != "10.0.0.9:1" {
			t.Errorf("%+v, %v", dials, err)
		}
	})
}
