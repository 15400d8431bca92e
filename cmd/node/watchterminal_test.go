package main

import (
	"strings"
	"testing"
)

// In a real terminal, peers --watch redraws its list in place until an interrupt.
func TestPeersWatchRedrawsInATerminal(t *testing.T) {
	alice, bob := startNode(t, "alice"), startNode(t, "bob")
	term := openTerminal(t, "peers", "--watch", "--data-dir", alice.dir)
	term.do("resize-window", "-x", "250", "-y", "24")
	term.await("no peers yet")
	bob.ok("connect", alice.first["url"].(string))
	id := bob.first["id"].(string)
	screen := term.await("connected  inbound")
	if !strings.HasPrefix(screen, "ID ") || !strings.Contains(screen, "\n"+id+"  bob  ") ||
		strings.Count(screen, "LAST SEEN") != 1 || strings.Contains(screen, "no peers yet") {
		t.Errorf("the screen is\n%s", screen)
	}
	bob.stop()
	screen = term.await("  away  ")
	if strings.Count(screen, id) != 1 || strings.Contains(screen, "connected") {
		t.Errorf("the screen after the end of the peer is\n%s", screen)
	}
	term.do("send-keys", "C-c")
	term.await("exit status 0")
	alice.stop()
}

// In a real terminal, watch prints a line for each event, without the control characters of a peer, until an interrupt.
func TestWatchPrintsLinesInATerminal(t *testing.T) {
	alice, bob := startNode(t, "alice"), startNode(t, "bob")
	bob.ok("connect", alice.first["url"].(string))
	term := openTerminal(t, "watch", "--data-dir", alice.dir)
	term.do("resize-window", "-x", "250", "-y", "200")
	for n := 0; !strings.Contains(term.do("capture-pane", "-p"), `"tick`); n++ { // until the command watches
		if n == 1000 {
			t.Fatalf("no message on the screen:\n%s", term.do("capture-pane", "-p"))
		}
		bob.ok("send", "alice", "tick")
		alice.next("message")
	}
	bob.ok("send", "alice", "red\x1b[31m\x1b[2Jcleared")
	alice.next("message") // events wait for the reader of standard output
	bob.ok("send", "alice", "last")
	alice.next("message")
	screen := term.await(`"last"`)
	if strings.Count(screen, "cleared") != 1 || strings.Index(screen, "cleared") > strings.Index(screen, `"last"`) ||
		!strings.HasPrefix(screen, "before\n") {
		t.Errorf("the screen is\n%s", screen)
	}
	if styled := term.do("capture-pane", "-p", "-e"); strings.Contains(styled, "\x1b[31m") {
		t.Errorf("a peer changes the colour:\n%q", styled)
	}
	bob.stop()
	term.await("- bob (" + bob.first["id"].(string) + ") is disconnected by the peer")
	term.do("send-keys", "C-c")
	term.await("exit status 0")
	alice.stop()
}
