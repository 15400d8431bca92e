package simulation

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/wire"
)

// What seeds have found, each told once more without chance.

// story runs a mesh of a few nodes, of which node 0 dials all others, and ends it with the usual checks.
func story(t *testing.T, count int, disks bool, tell func(w *world)) {
	t.Helper()
	w := newWorld(1, false)
	synctest.Test(t, func(*testing.T) {
		w.began, w.net, w.disks, w.roomy = time.Now(), memnet.New(1), disks, true
		w.system = newSystem()
		w.watchLetters()
		for i := range count {
			n := newNode(w, i, 10)
			n.skew.Store(0)
			w.nodes = append(w.nodes, n)
			w.wants[[2]int{0, i}] = i > 0
		}
		for _, n := range w.nodes {
			n.start()
		}
		w.pass(15 * time.Second)
		tell(w)
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

// A registry that panics while it takes out a connection named a dead connection for ever, and dialled no more.
func TestRegistryPanicsWhileAConnectionLeaves(t *testing.T) {
	for reading := range int32(3) {
		story(t, 2, false, func(w *world) {
			w.nodes[0].fuse.Store(reading + 1)
			w.net.Links(w.nodes[0].ip, w.nodes[1].ip)[0].Cut()
			w.pass(time.Minute)
		})
	}
}

// A graceful restart soon after a crash forgot that messages from before the crash may have been seen.
func TestCrashIsRememberedThroughAGracefulRestart(t *testing.T) {
	story(t, 2, true, func(w *world) {
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
		send() // the handler's own check complains when it is delivered again
	})
}

// A connection whose handler blocks, with its budget used up, was kept for ever after its socket had broken.
func TestSocketBreaksBehindABlockedHandler(t *testing.T) {
	story(t, 2, false, func(w *world) {
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

// A dial whose upgrade is answered wrongly kept its socket for seconds after its slot was free.
func TestWrongUpgradeHoldsNoSocketPastItsSlot(t *testing.T) {
	story(t, 2, false, func(w *world) {
		n, liar := w.nodes[0], w.net.Attach("10.0.8.1")
		ln, err := liar.Listen(nodetest.Port)
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
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		})
		w.connect(n, "10.0.8.1:9091", "")
		w.pass(11 * time.Second)
		w.checkSlots(n)
		ln.Close()
	})
}
