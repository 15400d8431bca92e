package simulation

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/wire"
)

// Faults that seeds have found, each reproduced without randomness.

// runPair runs a mesh of two nodes, in which node 0 dials node 1, calls script and ends the mesh with all checks.
func runPair(t *testing.T, disks bool, script func(w *world)) {
	t.Helper()
	w := newWorld(1, false)
	synctest.Test(t, func(t *testing.T) {
		w.simulate(p2ptest.New(t, 1))
		w.disks, w.roomy, w.plain = disks, true, true
		for i := range 2 {
			n := newNode(w, i, 10)
			n.skew.Store(0)
			w.nodes = append(w.nodes, n)
			w.wants[[2]int{0, i}] = i > 0
		}
		for _, n := range w.nodes {
			n.start()
		}
		w.pass(15 * time.Second)
		script(w)
		w.check()
		w.heal()
		w.pass(quiet)
		w.check()
		w.checkWhole()
		w.end()
	})
	for _, fault := range w.faults() {
		t.Error(fault)
	}
}

// A registry that panicked while it removed a connection kept the dead route forever and stopped dialling.
func TestRegistryRecoversFromPanicDuringCleanup(t *testing.T) {
	for reading := range int32(3) {
		runPair(t, false, func(w *world) {
			w.nodes[0].fuse.Store(reading + 1)
			w.net.Links(w.nodes[0].ip, w.nodes[1].ip)[0].Cut()
			w.pass(time.Minute)
		})
	}
}

// After a graceful restart soon after a crash, a node accepted copies of messages delivered before the crash.
func TestGracefulRestartRemembersCrash(t *testing.T) {
	runPair(t, true, func(w *world) {
		a, b := w.nodes[0], w.nodes[1]
		msg := w.message(a, typeTell, b.id)
		send := func() {
			w.dispatch(0, 1, a.transport.GetConnection(b.id), msg)
			w.pass(time.Second)
		}
		send()
		b.crash(false, true)
		b.start()
		w.pass(10 * time.Second)
		b.stop()
		b.start()
		w.pass(10 * time.Second)
		send() // checkDelivery reports a second delivery
	})
}

// A connection with a blocked handler and an exhausted budget stayed open forever after its socket broke.
func TestBlockedHandlerKeepsNoBrokenSocket(t *testing.T) {
	runPair(t, false, func(w *world) {
		a, b := w.nodes[0], w.nodes[1]
		a.gate.close()
		for range 10 {
			msg, err := wire.NewMessage(typeTell, b.id, a.id, strings.Repeat("x", 100_000))
			a.must(err)
			w.work.Go(func() { w.dispatch(1, 0, b.transport.GetConnection(a.id), msg) })
		}
		w.pass(time.Second)
		w.upset(0, 1, time.Now().Add(calmAfter))
		w.net.Links(a.ip, b.ip)[0].Vanish(a.ip)
		w.pass(time.Minute)
		w.checkSlots(a)
		if a.host.Sockets() != 1 {
			w.fault("the blocked node holds %d sockets instead of a new connection", a.host.Sockets())
		}
	})
}

// A dial with a wrong answer to its upgrade kept the socket for seconds after its slot was free.
func TestWrongUpgradeReleasesSocketWithSlot(t *testing.T) {
	runPair(t, false, func(w *world) {
		n, liar := w.nodes[0], w.net.Attach("10.0.8.1")
		ln, err := liar.Listen(p2ptest.Port)
		n.must(err)
		w.work.Go(func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			time.Sleep(9 * time.Second) // shortly before the handshake timeout
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n"+
				"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		})
		w.connect(n, "10.0.8.1:9091", "")
		w.pass(11 * time.Second)
		w.checkSlots(n)
		ln.Close()
	})
}
