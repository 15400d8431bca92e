package cluster_test

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A member that was cut off, or that was down, forgets the peers that another one has forgotten meanwhile, when it
// hears from the others again. Peers that it has seen since stay.
func TestForgetReachesMembersLater(t *testing.T) {
	for name, down := range map[string]bool{"cut": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			inMesh(t, "a b c", func(t *testing.T, m *mesh) {
				m.pass(time.Second)
				a, b := m.hosts["a"], m.hosts["b"]
				for id, seen := range map[string]time.Time{
					"one": time.Now(), "two": time.Now(), "seen since": time.Now().Add(time.Hour), "other": time.Now(),
				} {
					b.book.Add(supervisor.Peer{ID: id, LastSeen: seen})
					a.book.Add(supervisor.Peer{ID: id, LastSeen: seen})
				}
				m.pass(time.Second)
				if down {
					b.stop()
				} else {
					m.bus.Cut("a", "b", true)
					m.bus.Cut("b", "a", true)
				}
				m.pass(time.Second)
				_, forgot := a.Forget(t.Context(), "one", "seen since")
				ended := a.Disconnect(t.Context(), "two", true)
				if !down && (len(unconfirmed(forgot)) != 1 || len(unconfirmed(ended)) != 1) {
					t.Errorf("errors %v and %v, want both to name b", forgot, ended)
				}
				m.pass(5 * time.Second)
				if down {
					a.stop() // c passes it on
					b = m.member("b")
				} else {
					m.bus.HealAll()
				}
				m.pass(5 * time.Second)
				for id, want := range map[string]bool{"one": false, "two": false, "seen since": true, "other": true} {
					if _, known := b.book.Get(id); known != want {
						t.Errorf("%s is known %v, want %v", id, known, want)
					}
				}
				if b.book.RecordDigest() != m.hosts["c"].book.RecordDigest() {
					t.Error("the records differ")
				}
			})
		})
	}
}
