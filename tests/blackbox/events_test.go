package blackbox

import (
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestNoPayloadsPrintsMessagesWithoutPayload by flag, by environment and by file; the message itself arrives.
func TestNoPayloadsPrintsMessagesWithoutPayload(t *testing.T) {
	t.Parallel()
	a := startWith(t, nodetest.ProcessOptions{Env: []string{"NODE_EVENTS=no-payloads"}})
	b := start(t, "--peer", a.Address())
	meet(a, b)
	id := b.ok("send", a.ID(), `{"secret":"sesame"}`)
	e := a.Await("message", "message.id", id)
	e.WantKeys(t, "", "peer", "connection", "message")
	envelope, _ := e.Fields["message"].(map[string]any)
	if gone := missing(envelope, "id", "type", "from", "to", "ts"); len(gone) > 0 || len(envelope) != 5 {
		t.Errorf("the envelope lacks %q or has more: %s", gone, e.Line)
	}
	if strings.Contains(e.Line, "sesame") {
		t.Errorf("the payload is printed: %s", e.Line)
	}
}

// TestNoEventsPrintsNothing, not even the first and the last line.
func TestNoEventsPrintsNothing(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	n := background(t, home, "run", "--events", "none", "--listen", "127.0.0.1:0", "--admin", "")
	awaitNode(t, home)
	n.Signal(syscall.SIGTERM)
	if r := n.Wait(); r.Code != 0 || r.Stdout != "" {
		t.Errorf("exit code %d, standard output %q, standard error %q", r.Code, r.Stdout, r.Stderr)
	}
	bad := in(t, home, "run", "--events", "some")
	bad.want(t, 2)
	bad.says(t, "--events some: must be all, no-payloads or none")
}

// TestTextOfListeningNamesTheCommandToJoin, and the printed command works.
func TestTextOfListeningNamesTheCommandToJoin(t *testing.T) {
	t.Parallel()
	a := background(t, nodetest.NewHome(t), "run", "--listen", "127.0.0.1:0", "--admin", "")
	found := a.Await(regexp.MustCompile(`(?m)^ +another node on this host joins with: ` +
		`node run --peer (127\.0\.0\.1:[0-9]+#([0-9a-f]{32}))$`))
	b := start(t, "--peer", found[1])
	b.Await("peer_up", "peer", found[2])
}

func TestPeerRefusedNamesTheStranger(t *testing.T) {
	t.Parallel()
	a := start(t, "--auth", "allowlist")
	stranger := identity(t, "stranger")
	if got := refusal(a, refpeer.Options{Identity: stranger}); got != "peer not authorized" {
		t.Fatalf("refused with %q", got)
	}
	e := a.Await("peer_refused", "peer", stranger.ID)
	e.WantKeys(t, "", "peer", "key", "name", "address", "reason")
	if e.Str("key") != stranger.PublicKey || e.Str("name") != "stranger" || e.Str("address") == "" ||
		e.Str("reason") != "peer not authorized" {
		t.Errorf("event %s", e.Line)
	}
}
