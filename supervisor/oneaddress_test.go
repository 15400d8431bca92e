package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// severalAddresses are hosts of one identity, and a node that keeps it connected at all of their addresses.
type severalAddresses struct {
	net   *memnet.Network
	hosts []*testNode
	peer  *testNode
}

// newSeveralAddresses starts three hosts, and the node after prepare.
func newSeveralAddresses(t *testing.T, prepare func(*severalAddresses)) *severalAddresses {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager("shared", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	s := &severalAddresses{net: memnet.New(1)}
	var addresses []string
	for number := 2; number <= 4; number++ {
		host := startNode(t, s.net, number, func(set *nodeSetup) { set.keys = keys })
		s.hosts = append(s.hosts, host)
		addresses = append(addresses, host.addr+"#"+keys.Identity().ID)
		s.net.SetLatency("10.0.0.1", host.host.IP(), 100*time.Millisecond)
		s.net.SetLatency(host.host.IP(), "10.0.0.1", 100*time.Millisecond)
	}
	prepare(s)
	s.peer = startNode(t, s.net, 1, func(set *nodeSetup) { set.cfg.Peers = addresses })
	return s
}

// accepted returns the handshakes that each host has accepted, and their sum.
func (s *severalAddresses) accepted() (each []int, sum int) {
	for _, host := range s.hosts {
		n := int(host.Counters()["handshakesAccepted"])
		each, sum = append(each, n), sum+n
	}
	return each, sum
}

// TestOneAddressOfAPeerIsDialledAtATime: a node that keeps a peer connected at three addresses makes one handshake to
// connect to it, and one after the end of the connection, although the pauses of all addresses end during the dial.
func TestOneAddressOfAPeerIsDialledAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveralAddresses(t, func(*severalAddresses) {})
		time.Sleep(20 * time.Second)
		if each, sum := s.accepted(); sum != 1 || s.peer.ConnectedPeers() != 1 {
			t.Errorf("%v handshakes at the start", each)
		}
		for _, host := range s.hosts {
			if host.ConnectedPeers() == 1 {
				host.stop()
				break
			}
		}
		time.Sleep(20 * time.Second)
		if each, sum := s.accepted(); sum != 2 || s.peer.ConnectedPeers() != 1 {
			t.Errorf("%v handshakes after the end of the first connection", each)
		}
	})
}

// TestSilentAddressDelaysTheOthersForTwoSeconds: the dial of an address without an answer lasts for the complete
// handshake time; the next address is dialled after two seconds.
func TestSilentAddressDelaysTheOthersForTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveralAddresses(t, func(s *severalAddresses) {
			s.net.Partition([]string{"10.0.0.1"}, []string{"10.0.0.2"})
		})
		time.Sleep(rivalPatience - time.Millisecond)
		if each, sum := s.accepted(); sum != 0 {
			t.Errorf("%v handshakes beside the silent dial", each)
		}
		time.Sleep(time.Second)
		if each, sum := s.accepted(); sum != 1 || s.peer.ConnectedPeers() != 1 {
			t.Errorf("%v handshakes a second after the patience", each)
		}
	})
}

// TestRefusedAddressDelaysTheOthersForNoTime: the dial of an address that is refused at once leads to the next address
// at once.
func TestRefusedAddressDelaysTheOthersForNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveralAddresses(t, func(s *severalAddresses) {
			s.hosts[0].stop()
			s.hosts[1].stop()
		})
		time.Sleep(rivalPatience - 500*time.Millisecond)
		if each, sum := s.accepted(); sum != 1 || s.peer.ConnectedPeers() != 1 {
			t.Errorf("%v handshakes before the patience ends", each)
		}
	})
}
