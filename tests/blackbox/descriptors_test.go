package blackbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
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

// longHandshake is a handshake timeout beyond patience: a command that waits for the end of other connections fails.
var longHandshake = []string{"--handshake-timeout", (2 * patience).String()}

// awaitCounted waits until a counter is not zero and the log has a text. `node status` must answer meanwhile.
func (n *node) awaitCounted(counter, text string) {
	n.t.Helper()
	n.AwaitStderr(text, func(log string) bool { return strings.Contains(log, text) })
	for range 3 {
		if s := n.Status(); s.Counters[counter] == 0 {
			n.t.Errorf("%s is not counted", counter)
		}
	}
}

// answers reports whether the node answers on a connection before it logs a text.
func (n *node) answers(conn net.Conn, text string) bool {
	n.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(n.Stderr(), text); {
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			n.t.Fatal(err)
		}
		_, err := conn.Read(make([]byte, 1))
		if err == nil {
			return true
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end) {
			n.Fatalf("neither an answer nor %q: %v", text, err)
		}
	}
	return false
}

// TestHalfOpenRequestsTakeNoDescriptors: 80 half-open requests against a node with 40 descriptors. They are counted and
// logged, commands and new peers are served meanwhile.
func TestHalfOpenRequestsTakeNoDescriptors(t *testing.T) {
	t.Parallel()
	n := startLimited(t, 40, longHandshake...)
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
	const refused = "could not be accepted"
	n := startLimited(t, 40, append([]string{"--max-conns", "100"}, longHandshake...)...)
	for range 40 { // upgraded, without a handshake
		conn, err := net.Dial("tcp", n.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		if !n.answers(conn, refused) {
			break // none is left to accept this one
		}
	}
	n.awaitCounted("acceptErrors", refused)
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
