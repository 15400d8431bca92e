package natsbus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// logEvery is the time between two lines of one kind.
const logEvery = time.Minute

const logForeign = "a process with another identity key or another --cluster-secret was refused: it is no member; " +
	"if it should be one, give it the same --identity and --cluster-secret"

// serverLog is the logger of an embedded server. Other members and strangers cause its lines. Each line is limited, at
// level debug too: the log's queue drops the lines of others when it is full.
type serverLog struct {
	limited *actors.LimitedLogger
	debug   *actors.LimitedLogger                // for lines of no interest to the operator, one a second
	origin  func(port uint16) (netip.Addr, bool) // address of the process at a port of the gate
	fatal   chan error                           // capacity 1
}

// Fatalf implements server.Logger. It ends neither the process nor the server.
func (l *serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Errorf(format, v...):
	default:
		l.Errorf(format, v...)
	}
}

// Errorf implements server.Logger.
func (l *serverLog) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	switch {
	case strings.Contains(format, "has a duplicate name"): // a route to this member itself, over an address in between
		l.debug.Debug("NATS", "error", text)
	case strings.HasPrefix(format, "Error trying to connect to route"):
		l.limited.Warn("a member cannot be reached: it is tried again", "error", lastError(v))
	case !strings.Contains(format, "handshake error"):
		l.limited.Warn("NATS reports an error", "error", text)
	case foreign(v):
		l.debug.Debug("NATS", "error", text) // a few hundred characters about certificates
		l.limited.Warn(logForeign, "process", l.remote(text))
	default:
		l.limited.Warn("a TLS handshake with another process failed", "process", l.remote(text), "error", lastError(v))
	}
}

// remote returns the network address of the other process, with which the server begins a line, or "unknown". For a
// connection through the gate that is the address of the gate; then remote returns the IP address of the process.
func (l *serverLog) remote(line string) string {
	text, _, _ := strings.Cut(line, " - ")
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return "unknown"
	}
	if from, found := l.origin(address.Port()); found && address.Addr().IsLoopback() {
		return from.String()
	}
	return text
}

// lastError returns the error among the values, without the text of the server around it.
func lastError(v []any) (last error) {
	for _, value := range v {
		if err, ok := value.(error); ok {
			last = err
		}
	}
	return last
}

// foreign reports whether one of the values is an error about a certificate, of this or of the other side.
func foreign(v []any) bool {
	for _, value := range v {
		err, _ := value.(error)
		var refusedHere *tls.CertificateVerificationError
		var there *net.OpError
		if errors.As(err, &refusedHere) || errors.As(err, &there) && there.Op == "remote error" { // an alert of TLS
			return true
		}
	}
	return false
}

// Warnf implements server.Logger.
func (l *serverLog) Warnf(format string, v ...any) {
	l.limited.Warn("NATS warns", "warning", fmt.Sprintf(format, v...))
}

// Noticef implements server.Logger.
func (l *serverLog) Noticef(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if strings.Contains(text, "Slow Consumer") {
		l.limited.Warn("a member does not keep up: messages to it are delayed or dropped", "detail", text)
		return
	}
	l.debug.Debug("NATS", "notice", text)
}

// Debugf implements server.Logger. The server calls it only if its option Debug is set.
func (*serverLog) Debugf(string, ...any) {}

// Tracef implements server.Logger. The server calls it only if its option Trace is set.
func (*serverLog) Tracef(string, ...any) {}
