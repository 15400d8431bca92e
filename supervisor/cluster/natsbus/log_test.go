package natsbus

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// A failed dial of a member is reported in the terms of the node, not of the NATS server.
func TestServerLogNamesUnreachableMember(t *testing.T) {
	var written bytes.Buffer
	log := slog.New(slog.NewTextHandler(&written, nil))
	l := &serverLog{limited: actors.NewLimitedLoggerEvery(log, logEvery), debug: log}
	refused := errors.New("dial tcp 127.0.0.1:7091: connect: connection refused")
	l.Errorf("Error trying to connect to route (attempt %v): %v", 3, refused)
	want := `level=WARN msg="a member cannot be reached: it is tried again" ` +
		`error="dial tcp 127.0.0.1:7091: connect: connection refused"`
	if got := strings.TrimSpace(written.String()); !strings.HasSuffix(got, want) {
		t.Errorf("logged %s, want %s", got, want)
	}
}
