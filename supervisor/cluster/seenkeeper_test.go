package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The keeper of authors is killed and starts again at once. A member to which they connect then hears nothing from it,
// and the answer of the new start that it has no entries does not count: nothing is delivered twice.
func TestRestartedKeeperIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.start("keeper", "home")
		time.Sleep(2*seenWindow + time.Second) // before, each asks the other one about all authors
		authors := peerNames(20)
		messages := w.receiveFromEach("keeper", authors)
		w.net.Drop(".dir")
		joined := w.restart("keeper")
		time.Sleep(510 * time.Millisecond)
		for _, author := range authors {
			w.members["home"].connect(author)
		}
		settle()
		for _, author := range authors {
			if v, delivered := w.members["home"].receive(author, messages[author]); delivered {
				t.Errorf("the message of %s was delivered twice: %v", author, v)
			}
		}
		w.net.Drop("")
		joined()
		time.Sleep(time.Second)
		for _, author := range authors {
			msg := w.message(fmt.Sprint("new ", author), author)
			if v, delivered := w.members["home"].receive(author, msg); !delivered {
				t.Errorf("the new message of %s was not delivered: %v", author, v)
			}
		}
	})
}
