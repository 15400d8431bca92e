package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// After a crash of the home nothing is delivered twice: messages stamped before the claim are stale for one window. The
// messages of other peers are not.
func TestCrashOfTheHomeMakesEarlierMessagesStale(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		w.members["b"].connect("other")
		settle()
		msg, undelivered := w.message("1", "author"), w.message("2", "author")
		others := w.message("3", "other")
		w.expectReceived("before", "a", "author", msg, actors.Fresh)
		w.kill("a")
		w.members["b"].connect("author")  // granted when a is lost
		time.Sleep(10 * time.Millisecond) // more than the delay of a heartbeat
		later := w.message("4", "author")
		for step, m := range map[string]*wire.Message{"delivered": msg, "not delivered": undelivered} {
			w.expectReceived(step+", direct", "b", "author", m, actors.Stale)
			w.expectReceived(step+", relayed", "c", "relay", m, actors.Stale)
		}
		w.expectReceived("of another peer", "b", "other", others, actors.Fresh)
		w.expectReceived("stamped later", "b", "author", later, actors.Fresh)
		w.expectReceived("stamped later, again", "c", "relay", later, actors.Duplicate)
	})
}

func TestCrashOfAKeeperMakesEarlierMessagesStale(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		time.Sleep(2*seenWindow + time.Minute) // before, each asks all others
		messages := w.receiveFromEach("a", peerNames(30))
		w.kill("a") // the receiver, and the keeper of a third
		time.Sleep(3 * time.Second)
		stale := 0
		for author, msg := range messages {
			switch v, delivered := w.members["b"].receive("relay", msg); {
			case delivered:
				t.Errorf("%s: delivered twice", author)
			case v == actors.Stale:
				stale++
			}
		}
		if stale < 5 || stale > 15 {
			t.Errorf("%d of 30 messages are stale, want those that a kept", stale)
		}
	})
}

// A restart within the time after which a member is lost counts as a crash.
func TestRestartMakesEarlierMessagesStale(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		settle()
		messages := w.receiveFromEach("b", peerNames(10))
		messages["author"] = w.message("direct", "author")
		w.expectReceived("before", "a", "author", messages["author"], actors.Fresh)
		w.members["b"].newSet(t) // so that it has no messages of its own
		w.kill("a")
		w.start("a")
		time.Sleep(time.Second)
		w.members["b"].connect("author")
		settle()
		for _, msg := range messages {
			if w.engineKeeper("b", msg.From) {
				continue // b has lost its own entries
			}
			if _, delivered := w.members["b"].receive("relay", msg); delivered {
				t.Errorf("%s: delivered twice", msg.ID)
			}
		}
	})
}

// engineKeeper reports whether a member decides about an author of which it has no entries.
func (w *world) engineKeeper(member, author string) bool {
	rule := w.members[member].engine.Judge(author, time.Now().Add(time.Hour), false)
	return rule == supervisor.SeenHere && author != "author"
}

// A member that leaves hands its entries over: nothing is delivered twice, and nothing is stale.
func TestLeaveHandsEntriesOver(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		settle()
		messages, undelivered := []*wire.Message{}, w.message("late", "author")
		for i := range 5000 {
			msg := w.message(fmt.Sprint(i), "author")
			messages = append(messages, msg)
			w.expectReceived("before", "a", "author", msg, actors.Fresh)
		}
		nowhere := w.message("nowhere", "peer")
		w.expectReceived("before", "a", "relay", nowhere, actors.Fresh)
		w.members["a"].engine.Leave()
		settle()
		w.members["b"].connect("author")
		settle()
		for _, msg := range messages[:100] {
			w.expectReceived("handed over", "b", "author", msg, actors.Duplicate)
			w.expectReceived("handed over", "c", "relay", msg, actors.Duplicate)
		}
		w.expectReceived("nowhere", "c", "relay", nowhere, actors.Duplicate)
		w.expectReceived("not delivered before", "b", "author", undelivered, actors.Fresh)
	})
}

// A member some of whose pages were lost on the way is one that was killed: nothing is delivered twice.
func TestIncompleteHandoverCountsAsACrash(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			w.start("a", "b")
			w.members["a"].connect("author")
			settle()
			var messages []*wire.Message
			for i := range 10_000 {
				msg := w.message(fmt.Sprint(i), "author")
				w.expectReceived("before", "a", "author", msg, actors.Fresh)
				messages = append(messages, msg)
			}
			w.net.Lose(0.3)
			w.members["a"].engine.Leave()
			settle()
			w.net.Lose(0)
			time.Sleep(3 * time.Second) // if the goodbye was lost, too
			w.members["b"].connect("author")
			twice := 0
			for _, msg := range messages {
				if _, delivered := w.members["b"].receive("author", msg); delivered {
					twice++
				}
			}
			if twice > 0 {
				t.Errorf("seed %d: %d messages were delivered twice", seed, twice)
			}
		})
	}
}

// Without an answer the verdict is Unanswered after 250 ms, and then at once when the home is lost.
func TestUnansweredCheckTakesABoundedTime(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		settle()
		w.net.CutBoth("a", "b", true)
		began := time.Now()
		w.expectReceived("cut", "b", "relay", w.message("1", "author"), actors.Unanswered)
		if took := time.Since(began); took != 250*time.Millisecond {
			t.Errorf("took %v, want 250ms", took)
		}
		time.Sleep(3 * time.Second)
		began = time.Now()
		w.expectReceived("lost", "b", "relay", w.message("2", "author"), actors.Fresh)
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v, want none: the home is lost", took)
		}
	})
}

// A member ends before its loss is noticed: messages stamped after that are delivered, also in the interval in which
// its next heartbeat was due.
func TestLossEndsBeforeItIsNoticed(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		w.members["a"].connect("author")
		w.members["a"].connect("other")
		time.Sleep(10 * time.Millisecond)
		w.kill("a")
		w.members["b"].connect("other") // at once: nothing subscribes there
		time.Sleep(time.Millisecond)
		w.expectReceived("relayed", "b", "relay", w.message("1", "author"), actors.Fresh)
	})
}

// The restart of a lost member, or its removal, is not a second end of it: messages stamped before the restart and
// after the loss are delivered.
func TestReturnOfALostMemberMakesNothingStale(t *testing.T) {
	for name, back := range map[string]func(*world){
		"restarted": func(w *world) { w.start("a"); time.Sleep(time.Second) },
		"forgotten": func(*world) { time.Sleep(10 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1)
				w.start("a", "b", "c")
				for _, author := range []string{"claimed again", "nowhere"} {
					w.members["a"].connect(author)
				}
				settle()
				w.kill("a")
				time.Sleep(3 * time.Second)
				w.members["b"].connect("claimed again")
				time.Sleep(10 * time.Second)
				for _, author := range []string{"claimed again", "nowhere"} {
					msg := w.message(author, author)
					defer w.expectReceived(author, "c", "relay", msg, actors.Fresh)
				}
				back(w)
			})
		})
	}
}
