package supervisor

import (
	"bytes"
	"strings"

	"github.com/Snider/go-p2p/actors"
)

// serverLog receives the errors of net/http before a request is served: failed TLS handshakes and panics. Remote nodes
// cause most of them, so lines are rate-limited, quoted and shortened. Failed TLS handshakes are counted in
// handshakesRejected, except those of a connection that was closed early, such as a health check.
type serverLog struct{ node *actors.Node }

// Write implements io.Writer. Each call is one entry.
func (l serverLog) Write(line []byte) (int, error) {
	text, isTLS := strings.CutPrefix(string(bytes.TrimSpace(line)), "http: TLS handshake error from ")
	switch {
	case isTLS && strings.HasSuffix(text, ": EOF"):
	case isTLS:
		remote, fault, _ := strings.Cut(text, ": ")
		l.node.Counters.Inc(actors.HandshakesRejected)
		l.node.LimitedLog.Warn("TLS handshake failed", "remote", remote, "error", actors.Quote(fault))
	default:
		l.node.LimitedLog.Error("the HTTP server of the listener reported an error", "error", actors.Quote(text))
	}
	return len(line), nil
}
