package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
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

// A change of many records takes several messages. Each has its own time to be confirmed.
func TestApplyWaitsForAllPartsOfALongChange(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		const peers, oneWay = 10 * 256, 120 * time.Millisecond
		long := supervisor.BookChange{Alias: map[string]string{}}
		for i := range peers {
			long.Alias[fmt.Sprintf("peer%04d", i)] = fmt.Sprintf("alias%04d", i)
		}
		w.net.Delay(oneWay, oneWay)
		began := time.Now()
		err := w.members["a"].engine.Apply(t.Context(), long)
		if took := time.Since(began); err != nil || took != peers/256*2*oneWay {
			t.Errorf("error %v after %v, want none after %v", err, took, peers/256*2*oneWay)
		}
		if got := w.members["b"].book.Alias("peer2559"); got != "alias2559" {
			t.Errorf("the last alias at b is %q", got)
		}
	})
}

// A member that has not joined, or has left, refuses changes. One that leaves names the members that have not confirmed
// a change.
func TestApplyIsRefusedWithoutOtherMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		early := w.process("b")
		if err := early.engine.Apply(t.Context(), aliasOf("one", "x")); !errors.Is(err, cluster.ErrLeft) {
			t.Errorf("before Join: %v", err)
		}
		w.start("a", "b")
		a := w.members["a"]
		w.net.Cut("a", "b", true)
		began := time.Now()
		time.AfterFunc(100*time.Millisecond, a.engine.Leave)
		err := a.engine.Apply(t.Context(), aliasOf("one", "x"))
		if took := time.Since(began); len(unconfirmed(err)) != 1 || took != 100*time.Millisecond {
			t.Errorf("during Leave: %v after %v", err, took)
		}
		synctest.Wait()
		err = a.engine.Apply(t.Context(), aliasOf("two", "y"))
		if !errors.Is(err, cluster.ErrLeft) || a.book.Alias("one") != "x" || a.book.Alias("two") != "" {
			t.Errorf("after Leave: %v, aliases %q and %q", err, a.book.Alias("one"), a.book.Alias("two"))
		}
	})
}
