package cluster_test

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func aliasOf(peer, name string) supervisor.BookChange {
	return supervisor.BookChange{Alias: map[string]string{peer: name}}
}

// A change reaches a member that drains. A lost one is named at once, and a silent one after two seconds.
func TestApplyNamesMembersWithoutTheChange(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		a, b := w.members["a"], w.members["b"]
		apply := func(peer string, least, most time.Duration, want string) {
			t.Helper()
			began, got := time.Now(), ""
			if err := a.engine.Apply(t.Context(), aliasOf(peer, "alias of "+peer)); err != nil {
				got = err.Error()
			}
			if want != "" {
				want = supervisor.ErrMembers.Error() + ": " + want
			}
			if took := time.Since(began); got != want || took < least || took > most {
				t.Errorf("error %q after %v, want %q", got, took, want)
			}
			if b.book.Alias(peer) != "alias of "+peer {
				t.Errorf("b has not heard of %s", peer)
			}
		}
		b.engine.Drain()
		settle()
		apply("one", time.Millisecond, 6*time.Millisecond, "")
		w.net.Cut("a", "c", true)
		apply("two", 2*time.Second, 2*time.Second, "c (it does not answer)")
		w.net.Cut("c", "a", true)
		time.Sleep(3 * time.Second)
		apply("three", time.Millisecond, 6*time.Millisecond, "c (nothing is heard of it)")
	})
}
