package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a terminal of tmux.
type terminal struct {
	t      *testing.T
	socket string
}

// openTerminal runs the test binary as `node` in a terminal of 80 × 24 cells.
func openTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is missing: the view is not tried in a real terminal (apt-get install tmux)")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The path of t.TempDir may be too long for a socket.
	dir, err := os.MkdirTemp("", "tmux")
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() // fails if tmux has ended
		_ = os.RemoveAll(dir)
	})
	line := "trap : INT; echo before; " + // the shell outlives an interrupt of the command
		asBinary + "=1 '" + self + "' '" + strings.Join(args, "' '") + "'; " +
		"echo \"exit status $?\"; exec cat"
	term.do("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sh", "-c", line)
	return term
}

func (term *terminal) do(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// await returns the screen once it shows a text.
func (term *terminal) await(text string) string {
	term.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		screen := term.do("capture-pane", "-p")
		if strings.Contains(screen, text) {
			return screen
		}
		select {
		case <-ctx.Done():
			term.t.Fatalf("the screen never shows %q:\n%s", text, screen)
		case <-ticker.C:
		}
	}
}

// In a real terminal, top draws, follows a resize, disconnects after a yes and restores the screen.
func TestTopWorksInATerminal(t *testing.T) {
	alice, bob := startNode(t, "alice"), startNode(t, "bob")
	term := openTerminal(t, "top", "--data-dir", alice.dir, "--interval", "100ms")
	term.await("no peers yet")
	bob.ok("connect", alice.first["url"].(string))
	term.await("connected  in")
	if screen := term.await("d disconnect"); strings.Contains(screen, "before") || !strings.HasPrefix(screen, "alice") {
		t.Errorf("the screen is\n%s", screen)
	}
	term.do("resize-window", "-x", "120", "-y", "30")
	term.await(alice.first["address"].(string))
	term.do("resize-window", "-x", "80", "-y", "24")
	term.do("send-keys", "Enter")
	term.await("public key   " + bob.first["publicKey"].(string))
	term.do("send-keys", "d")
	term.await("Disconnect bob")
	term.do("send-keys", "y")
	bob.next("peer_down")
	term.await("disconnected bob")
	term.do("send-keys", "Escape")
	term.await("enter more")
	term.do("send-keys", "q")
	if screen := term.await("exit status 0"); !strings.HasPrefix(screen, "before\nexit status 0") {
		t.Errorf("the screen after the end is\n%s", screen)
	}
	alice.stop()
	bob.stop()
}

func TestTopWithoutANodeExits(t *testing.T) {
	term := openTerminal(t, "top", "--data-dir", filepath.Join(t.TempDir(), "empty"))
	if screen := term.await("exit status 3"); !strings.Contains(screen, "no running node") {
		t.Errorf("the screen is\n%s", screen)
	}
}
