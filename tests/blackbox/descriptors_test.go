package blackbox

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// halfOpen opens connections that send the beginning of a request and no more.
func halfOpen(t *testing.T, address string, count int) {
	t.Helper()
	for range count {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: node\r\n") // the node may have closed it
	}
}

// awaitCounted waits until a counter is not zero and the log has a text. `node status` must answer fast meanwhile.
func (n *node) awaitCounted(counter, text string) {
	n.t.Helper()
	const fast = 3 * time.Second // a process of its own under the load of other tests; 15 s without the defence
	n.AwaitStderr(text, func(log string) bool { return strings.Contains(log, text) })
	for range 3 {
		began := time.Now()
		if s := n.Status(); s.Counters[counter] == 0 {
			n.t.Errorf("%s is not counted", counter)
		}
		if took := time.Since(began); took > fast {
			n.t.Errorf("`node status` took %v", took)
		}
	}
}

// TestHalfOpenRequestsTakeNoDescriptors: 80 half-open requests against a node with 40 descriptors. They are counted and
// logged, commands and new peers are served meanwhile.
func TestHalfOpenRequestsTakeNoDescriptors(t *testing.T) {
	t.Parallel()
	n := startLimited(t, 40)
	halfOpen(t, n.Address(), 80)
	n.awaitCounted("connectionsRefused", "too many wait")
	if !strings.Contains(n.Stderr(), "--max-conns needs more file descriptors") {
		t.Errorf("--max-conns above the limit is not reported: %s", n.Stderr())
	}
	peer := start(t, "--peer", n.Address())
	peer.Await("peer_up", "peer", n.ID())
}

// TestCommandsWorkWithoutDescriptors: connections that the limits allow take all descriptors. Failed accept calls are
// counted and logged, and commands are answered all the same.
func TestCommandsWorkWithoutDescriptors(t *testing.T) {
	t.Parallel()
	n := startLimited(t, 40, "--max-conns", "100", "--handshake-timeout", "1m")
	for range 40 { // upgraded, without a handshake
		conn, err := net.Dial("tcp", n.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			break // none is left to accept this one
		}
	}
	n.awaitCounted("acceptErrors", "could not be accepted")
}

// TestIdleClientsKeepHealthzFast: 128 clients of --admin that do not finish their requests, and as many that do not
// read their answers.
func TestIdleClientsKeepHealthzFast(t *testing.T) {
	t.Parallel()
	n := start(t, "--admin", "127.0.0.1:0")
	base := n.Hello.Str("admin")
	address := strings.TrimPrefix(base, "http://")
	halfOpen(t, address, 128)
	for range 128 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	for range 5 {
		began := time.Now()
		if code, _ := fetch(t, http.MethodGet, base+"/healthz", ""); code != http.StatusOK ||
			time.Since(began) > time.Second {
			t.Errorf("/healthz: %d after %v", code, time.Since(began))
		}
	}
}
