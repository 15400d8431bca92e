package clusterlab

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// clockEnv holds the offset of the wall clock of a process, in seconds.
const clockEnv = "CLOCK_OFFSET"

// clockFile is a further file of package time.
const clockFile = `package time

import "syscall"

var clockOffset = offsetOfEnv()

func offsetOfEnv() (seconds int64) {
	text, _ := syscall.Getenv("` + clockEnv + `")
	sign := int64(1)
	for _, c := range []byte(text) {
		if c == '-' {
			sign = -1
		} else {
			seconds = 10*seconds + int64(c-'0')
		}
	}
	return sign * seconds
}
`

// skewedBinary builds the node with a package time whose wall clock is shifted by the environment variable clockEnv. A
// time namespace does not shift it, and a static program loads no library that does.
func skewedBinary(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const read = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), read) != 1 {
		t.Skip("this Go release reads the clock in another way")
	}
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	replaced, _ := json.Marshal(map[string]map[string]string{"Replace": {
		original: file("time.go", strings.Replace(string(source), read, read+"\tsec += clockOffset\n", 1)),
		filepath.Join(filepath.Dir(original), "clockoffset.go"): file("clockoffset.go", clockFile),
	}})
	binary := filepath.Join(dir, "node.exe")
	build := exec.Command("go", "build", "-overlay", file("overlay.json", string(replaced)), "-o", binary,
		"github.com/Snider/go-p2p/cmd/node")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return binary
}

// TestClocksOfMembersMayDifferByTwoHours runs a member an hour ahead and one an hour behind. Members join, peers move
// between them, messages and broadcasts arrive once, and the latest change of the allowlist wins on each.
func TestClocksOfMembersMayDifferByTwoHours(t *testing.T) {
	inLab(t)
	t.Parallel()
	binary := skewedBinary(t)
	c := newCluster(t, "a", "b", "c")
	for name, offset := range map[string]string{"b": "3600", "c": "-3600"} {
		c.binary[name], c.env[name] = binary, []string{clockEnv + "=" + offset}
	}
	c.start("a", "b", "c")
	c.awaitAll()
	c.checkClock("b", time.Hour)
	c.checkClock("c", -time.Hour)
	addresses := []string{"--peer", c.listen["b"], "--peer", c.listen["c"]}
	peer := nodetest.StartProcess(t, nodetest.ProcessOptions{}, addresses...)
	fixed := nodetest.StartProcess(t, nodetest.ProcessOptions{}, "--peer", c.listen["a"])
	key := ""
	for i, kind := range []string{"first", "second", "third"} { // two kills within one --dedup-ttl
		homes, took := c.awaitHomes(peer.ID(), fixed.ID())
		home := homes[peer.ID()]
		t.Logf("%s: the peer is at %s after %v", kind, home, took.Round(time.Millisecond))
		key = c.keyOf(home, peer.ID())
		c.beacon(peer, kind).await()
		c.beacon(fixed, kind).await()
		c.both(kind, home, peer, fixed)
		if i > 1 {
			break
		}
		c.kill(home)
		c.awaitHomes(peer.ID(), fixed.ID())
		c.start(home)
		c.awaitAll()
	}
	for i, step := range []struct{ at, change string }{
		{"b", "allow"}, {"c", "revoke"}, {"c", "allow"}, {"a", "revoke"}, {"b", "allow"}, {"c", "revoke"},
	} {
		if r := c.members[step.at].Run(step.change, key); r.Code != 0 {
			t.Fatalf("%s at %s: %s", step.change, step.at, r.Stderr)
		}
		for _, name := range c.names {
			var list struct{ Allowed, Revoked []struct{ Key string } }
			c.ask(name, &list, "allowlist")
			if allow := step.change == "allow"; (len(list.Allowed) == 1) != allow || (len(list.Revoked) == 1) == allow {
				t.Errorf("step %d, %s at %s: the allowlist of %s is %v", i, step.change, step.at, name, list)
			}
		}
	}
}

// checkClock requires that the events of a member carry the time of its shifted clock.
func (c *cluster) checkClock(name string, offset time.Duration) {
	c.t.Helper()
	at, err := time.Parse(time.RFC3339Nano, c.members[name].Hello.Str("time"))
	if ahead := time.Until(at); err != nil || (ahead-offset).Abs() > 10*time.Minute {
		c.t.Fatalf("the clock of %s is %v ahead, want %v; %v", name, ahead, offset, err)
	}
}

// both sends a message of each peer to the node, which its home delivers once, and a broadcast of each member, which
// each peer receives once.
func (c *cluster) both(kind, home string, peers ...*nodetest.Process) {
	c.t.Helper()
	for _, peer := range peers {
		if r := peer.Run("send", c.id, "to the node", "--type", kind); r.Code != 0 {
			c.t.Errorf("send of a peer: %s", r.Stderr)
		}
	}
	c.members[home].Await("message", "message.type", kind, "message.from", peers[0].ID())
	for _, name := range c.running() {
		all := kind + "-all-" + name
		if r := c.members[name].Run("broadcast", "--type", all, "to all"); r.Code != 0 {
			c.t.Errorf("broadcast of %s: %s", name, r.Stderr)
		}
		for _, peer := range peers {
			peer.AwaitCount(1, "message", "message.type", all)
		}
	}
	for _, name := range c.running() {
		n, want := c.members[name].Count("message", "message.type", kind, "message.from", peers[0].ID()), 0
		if name == home {
			want = 1
		}
		if n != want {
			c.t.Errorf("%s delivered the message of the peer at %s %d times", name, home, n)
		}
	}
}
