package clusterlab

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestMemberWithAnOldBookAdmitsNoRevokedPeer revokes a peer while a member is down. The peer dials that member without
// a pause from before its start on, with the key that the member's book still permits. It is never admitted.
func TestMemberWithAnOldBookAdmitsNoRevokedPeer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		mode string
		end  func(*nodetest.Process)
		code int // of revoke: 1, a lost member is named
	}{
		{"open, killed", "open", (*nodetest.Process).Kill, 1},
		{"allowlist, stopped", "allowlist", (*nodetest.Process).Stop, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			self, err := refpeer.New("revoked")
			if err != nil {
				t.Fatal(err)
			}
			c := newCluster(t, "a", "b")
			c.flags = []string{"--auth", row.mode}
			c.start("a", "b")
			c.awaitAll()
			if row.mode == "allowlist" {
				c.run("a", 0, "allow", self.PublicKey)
			}
			c.visit("b", self)
			row.end(c.members["b"])
			delete(c.members, "b")
			if row.code == 1 {
				c.awaitStates("a", "a alive", "b lost")
			}
			c.run("a", row.code, "revoke", self.PublicKey)

			h := c.hammer("b", self)
			c.start("b")
			b := c.members["b"]
			h.await(200)
			c.awaitAll()
			h.await(200) // further ones, now that both know each other
			h.stop()
			t.Logf("%d dials refused, %d failed", h.refused, h.failed)
			if h.admitted > 0 {
				t.Errorf("%d of %d dials were admitted", h.admitted, h.admitted+h.refused)
			}
			for _, e := range b.All() {
				if e.Has("peer_up", "peer", self.ID) || e.Has("peer_verified", "peer", self.ID) {
					t.Errorf("the revoked peer was admitted: %s", e.Line)
				}
			}
		})
	}
}

// run runs a command at a member and requires an exit code.
func (c *cluster) run(name string, code int, args ...string) {
	c.t.Helper()
	if r := c.members[name].Run(args...); r.Code != code {
		c.t.Fatalf("%s: %q: exit code %d, want %d: %s%s", name, args, r.Code, code, r.Stdout, r.Stderr)
	}
}

// visit connects a peer to a member until the member has verified it.
func (c *cluster) visit(name string, self *refpeer.Identity) {
	c.t.Helper()
	m := c.members[name]
	conn, err := refpeer.Dial(c.t.Context(), "ws://"+c.listen[name]+"/ws", refpeer.Options{Identity: self, Pong: true})
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Send("ping", c.id, map[string]any{}); err != nil {
		c.t.Fatal(err)
	}
	m.Await("peer_verified", "peer", self.ID)
}

// hammer is a peer that dials a member all the time.
type hammer struct {
	t      *testing.T
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu                        sync.Mutex
	admitted, refused, failed int
}

// hammer starts one with four dials at a time.
func (c *cluster) hammer(name string, self *refpeer.Identity) *hammer {
	t, ok := c.t.(*testing.T)
	if !ok {
		c.t.Fatal("not a test")
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := &hammer{t: t, cancel: cancel}
	t.Cleanup(h.stop)
	for range 4 {
		h.wait.Go(func() {
			for ctx.Err() == nil {
				h.dial(ctx, "ws://"+c.listen[name]+"/ws", self)
			}
		})
	}
	return h
}

func (h *hammer) dial(ctx context.Context, url string, self *refpeer.Identity) {
	conn, err := refpeer.Dial(ctx, url, refpeer.Options{Identity: self})
	var refused *refpeer.RefusedError
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		h.admitted++
		conn.Close()
	case errors.As(err, &refused):
		h.refused++
	default:
		h.failed++
	}
}

// await waits until the member has answered this many further dials.
func (h *hammer) await(n int) {
	h.t.Helper()
	h.mu.Lock()
	want := h.admitted + h.refused + n
	h.mu.Unlock()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		answered := h.admitted + h.refused
		h.mu.Unlock()
		if answered >= want {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%d dials were answered, want %d", answered, want)
		}
	}
}

func (h *hammer) stop() {
	h.cancel()
	h.wait.Wait()
}
