package supervisor

import (
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// The peer book never calls the program's clock: it would do so with its lock held, and a clock that reads the book
// would block both.
func TestBookNeverCallsTheProgramsClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var inside atomic.Int32
		clock := func() time.Time {
			if strings.Contains(string(debug.Stack()), "peerbook.(*Book)") {
				inside.Add(1)
			}
			return time.Now()
		}
		a := startNode(t, n, 1, func(s *nodeSetup) { s.options = append(s.options, WithClock(clock)) })
		b := startNode(t, n, 2)
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		if err := a.Disconnect(t.Context(), b.id(), true); err != nil {
			t.Fatal(err)
		}
		b.dial(a)
		b.stop()
		synctest.Wait()
		if got := inside.Load(); got != 0 {
			t.Errorf("%d calls inside the book, want 0", got)
		}
	})
}
