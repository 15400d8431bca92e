package natsbus

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// TestForeignProcessIsReportedBriefly requires a line about another key to say what to do, without the text about
// certificates.
func TestForeignProcessIsReportedBriefly(t *testing.T) {
	foreign := &tls.CertificateVerificationError{Err: errors.New(strings.Repeat("x509: certificate ", 20))}
	for format, c := range map[string]struct {
		err  error
		want string
	}{
		"10.0.0.2:4711 - rid:7 - TLS route handshake error: %v": {foreign, logForeign + `" process=10.0.0.2:4711`},
		"TLS route handshake error: %v":                         {foreign, logForeign + `" process=unknown`},
		"127.0.0.1:5 - rid:7 - TLS route handshake error: %v":   {foreign, logForeign + `" process=192.0.2.7`}, // the gate
		"[::1]:4711 - rid:7 - TLS route handshake error: %v": {
			errors.New("EOF"), `a TLS handshake with another process failed" process=[::1]:4711 error=EOF`,
		},
	} {
		var written bytes.Buffer
		log := slog.New(slog.NewTextHandler(&written, nil))
		every := actors.NewLimitedLoggerEvery(log, logEvery)
		l := &serverLog{limited: every, debug: every, origin: func(port uint16) (netip.Addr, bool) {
			return netip.MustParseAddr("192.0.2.7"), port == 5
		}}
		l.Errorf(format, c.err)
		if got := strings.TrimSpace(written.String()); !strings.HasSuffix(got, `msg="`+c.want) || len(got) > 300 {
			t.Errorf("logged %s, want %s", got, c.want)
		}
	}
}

// A failed dial of a member is reported in the terms of the node, not of the NATS server.
func TestServerLogNamesUnreachableMember(t *testing.T) {
	var written bytes.Buffer
	log := slog.New(slog.NewTextHandler(&written, nil))
	l := &serverLog{
		limited: actors.NewLimitedLoggerEvery(log, logEvery), debug: actors.NewLimitedLogger(log), origin: noOrigin,
	}
	refused := errors.New("dial tcp 127.0.0.1:7091: connect: connection refused")
	l.Errorf("Error trying to connect to route (attempt %v): %v", 3, refused)
	want := `level=WARN msg="a member cannot be reached: it is tried again" ` +
		`error="dial tcp 127.0.0.1:7091: connect: connection refused"`
	if got := strings.TrimSpace(written.String()); !strings.HasSuffix(got, want) {
		t.Errorf("logged %s, want %s", got, want)
	}
}

// A stranger that opens and closes connections causes a few lines, at level debug too.
func TestServerLogIsLimitedAtEachLevel(t *testing.T) {
	var written bytes.Buffer
	log := slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}))
	every := actors.NewLimitedLoggerEvery(log, logEvery)
	l := &serverLog{limited: every, debug: every, origin: noOrigin}
	for i := range 1000 {
		l.Errorf("%s - rid:%d - TLS route handshake error: %v", "192.0.2.1:1", i, errors.New("EOF"))
		l.Errorf("%s - rid:%d - TLS handshake timeout", "192.0.2.1:1", i)
		l.Errorf("Remote server has a duplicate name: %q", "x")
		l.Noticef("%s - rid:%d - Router connection closed: %s", "192.0.2.1:1", i, "Client Closed")
		l.Warnf("%d", i)
	}
	if n := strings.Count(written.String(), "\n"); n != 4 {
		t.Errorf("%d lines, want 4", n)
	}
}

func noOrigin(uint16) (netip.Addr, bool) { return netip.Addr{}, false }
