package supervisor

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Failed TLS handshakes are counted, and logged once per second with the peer's bytes quoted. A connection that closes
// without sending is neither counted nor logged.
func TestFailedTLSHandshakesAreCountedAndSampled(t *testing.T) {
	files := newCertFiles(t)
	synctest.Test(t, func(t *testing.T) {
		files.write(t, "node", time.Now())
		n := memnet.New(1)
		var lines strings.Builder
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.TLSCertPath, s.cfg.TLSKeyPath = files.cert, files.key
			s.options = []Option{WithLogger(slog.New(slog.NewTextHandler(&lines, nil)))}
		})
		host := n.Attach("10.0.0.9")
		say := func(text string) {
			t.Helper()
			conn, err := host.DialContext(t.Context(), "tcp", node.addr)
			if err == nil {
				_, err = io.WriteString(conn, text)
			}
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			synctest.Wait()
		}
		say("")
		node.wantCount(actors.HandshakesRejected, 0)
		for range 3 {
			say("\x99\x1b[31m no TLS")
		}
		say("GET / HTTP/1.1\r\n\r\n")
		node.wantCount(actors.HandshakesRejected, 4)
		if got := strings.Count(lines.String(), "TLS handshake failed"); got != 1 {
			t.Errorf("%d lines for 4 failures within a second, want 1:\n%s", got, lines.String())
		}
	})
}

// Other entries of the HTTP server, such as a panic, are logged as errors.
func TestServerFaultIsLogged(t *testing.T) {
	var lines strings.Builder
	log := slog.New(slog.NewTextHandler(&lines, nil))
	node := &actors.Node{Counters: &actors.Counters{}, LimitedLog: actors.NewLimitedLogger(log), Log: log}
	fmt.Fprintf(serverLog{node}, "http: panic serving 10.0.0.9:1: \x1b[31m\n")
	if got := lines.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "panic serving") ||
		strings.Contains(got, "\x1b") {
		t.Errorf("logged %q", got)
	}
	if got := node.Counters.Get(actors.HandshakesRejected); got != 0 {
		t.Errorf("handshakesRejected %d, want 0", got)
	}
}
