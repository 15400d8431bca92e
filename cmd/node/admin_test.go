package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/settings"
)

// occupy listens on an address, unless it is in use already.
func occupy(t *testing.T, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return address
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

// If the default address is in use, the node runs without the admin server; a chosen address in use is an error.
func TestAdminAddressInUseStopsOnlyAChosenOne(t *testing.T) {
	s, err := settings.Load(settings.Options{DataDir: t.TempDir(), HostName: "host"}, settings.ScopeNode)
	if err != nil {
		t.Fatal(err)
	}
	occupy(t, s.Admin)
	var log bytes.Buffer
	n := &node{settings: s, log: slog.New(slog.NewTextHandler(&log, nil))}
	if err := n.openAdmin(); err != nil || n.adminURL() != "" {
		t.Errorf("the default address is in use: %v, admin %q", err, n.adminURL())
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "level=WARN") {
		t.Errorf("logged: %s", log.String())
	}

	status, stdout, stderr := command(t.TempDir(), "run", "--listen", "127.0.0.1:0", "--admin", occupy(t, "127.0.0.1:0"))
	if status != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 ||
		!strings.Contains(stderr, "start --admin: listen on 127.0.0.1:") {
		t.Errorf("a chosen address is in use: status %d, %q, %q", status, stdout, stderr)
	}
}

func TestAdminServesUntilTheNodeStops(t *testing.T) {
	r := startNode(t, "alice", "--admin", "127.0.0.1:0")
	url, _ := r.first["admin"].(string)
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	r.stop()
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("a node that has stopped still answers")
	}

	dialer := startNode(t, "bob", "--admin", "127.0.0.1:0", "--listen", "")
	resp, err := http.Get(dialer.first["admin"].(string) + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a node that does not listen: /readyz is %s", resp.Status)
	}
	dialer.stop()
}
