package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A former home of an author is killed and starts again at once. The present home hears nothing from it: it has the
// missing subscriptions and the start in the answers. Nothing is delivered twice, and new messages are delivered.
func TestRestartedFormerHomeIsNotBelieved(t *testing.T) {
	for name, pause := range map[string]time.Duration{
		"asked before it has subscribed": 0,
		"asked after that":               510 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1)
				w.start("former", "home")
				messages := w.moveAuthor("former", "home", 200)
				w.net.Drop(".dir")
				joined := w.restart("former")
				time.Sleep(pause)
				for _, msg := range messages {
					if v, delivered := w.members["home"].receive("author", msg); delivered {
						t.Errorf("message %s was delivered twice: %v", msg.ID, v)
					}
				}
				w.net.Drop("")
				joined()
				time.Sleep(time.Second)
				w.expectReceived("new", "home", "author", w.message("new", "author"), actors.Fresh)
			})
		})
	}
}

// moveAuthor delivers messages of an author at its first home, and moves it to the second one, which asks the first.
func (w *world) moveAuthor(from, to string, n int) (delivered []*wire.Message) {
	w.t.Helper()
	w.members[from].connect("author")
	settle()
	for i := range n {
		delivered = append(delivered, w.message(fmt.Sprint(i), "author"))
		w.expectReceived("at the first home", from, "author", delivered[i], actors.Fresh)
	}
	w.members[from].disconnect("author")
	settle()
	w.members[to].connect("author")
	settle()
	w.expectReceived("at the second home", to, "author", delivered[0], actors.Duplicate)
	return delivered[1:]
}
