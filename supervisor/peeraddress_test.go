package supervisor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/Snider/go-p2p/tests/memnet"
)

// startRelay copies bytes between its port 9091 and another address until it is closed.
func startRelay(t *testing.T, host *memnet.Host, to string) (stop func()) {
	t.Helper()
	ln, err := host.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := host.DialContext(context.Background(), "tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					pair[0].Close()
					pair[1].Close()
				}()
			}
		}
	}()
	return func() { ln.Close() }
}

// A relay that is configured as a peer answers with the identity of a persistent peer. In the next run the relay is
// gone.
func TestRelayDoesNotReplaceThePeersAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		var log bytes.Buffer
		book := NewPeerRegistry()
		run := func(number int, peers ...string) *testNode {
			return startNode(t, n, number, func(s *nodeSetup) {
				s.book, s.cfg.Peers = book, peers
				s.options = []Option{WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
			})
		}
		first := run(1)
		if _, err := first.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		first.stop()

		stop := startRelay(t, n.Attach("10.0.0.9"), b.addr)
		n.Partition([]string{"10.0.0.3"}, []string{"10.0.0.2"}) // the relay is the only way
		relayed := run(3, "10.0.0.9:9091")
		time.Sleep(time.Minute)
		if relayed.GetConnection(b.id()) == nil {
			t.Error("not connected through the relay: nothing was tested")
		}
		if p, _ := book.Get(b.id()); p.Address != b.addr || fmt.Sprint(p.Addresses.All()) != "[10.0.0.9:9091]" {
			t.Errorf("address %q, others %q", p.Address, p.Addresses.All())
		}
		relayed.stop()
		if want := "identity of a peer known at another address"; strings.Count(log.String(), want) == 0 {
			t.Errorf("no %q in the log:\n%s", want, log.String())
		}
		stop()

		again := run(4)
		time.Sleep(time.Second)
		if again.GetConnection(b.id()) == nil {
			t.Error("the peer was not dialled at its own address")
		}
		again.stop()
		// The other address is used when the assigned one fails.
		book.Update(b.id(), func(p *Peer) { p.Address, p.Addresses = "10.0.0.8:1", peerbook.NewTextList(b.addr) })
		moved := run(5)
		time.Sleep(time.Minute)
		if moved.GetConnection(b.id()) == nil {
			t.Error("the peer was not dialled at its other address")
		}
	})
}

// An address without an expected peer is reported when another node answers there.
func TestChangedIdentityOfAConfiguredAddressIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var log bytes.Buffer
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Peers = []string{b.addr}
			s.options = []Option{WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
		})
		b.stop()
		other := startNode(t, n, 2)
		time.Sleep(5 * time.Minute)
		if a.GetConnection(other.id()) == nil {
			t.Fatal("the other node was not dialled")
		}
		a.stop()
		if want := fmt.Sprintf("before=%s now=%s", b.id(), other.id()); strings.Count(log.String(), want) != 1 {
			t.Errorf("want %q once in the log:\n%s", want, log.String())
		}
	})
}
