package supervisor

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// A pinned peer has switched its sessions off. A node in the mode pin warns once a day; the pin stays. A node in the
// mode prefer does not warn.
func TestSwitchedOffSessionsAreWarnedOf(t *testing.T) {
	for _, c := range []struct {
		mode SessionMode
		want []int // warnings after each connection, 13 hours apart
	}{
		{SessionPin, []int{1, 1, 2}},
		{SessionPrefer, []int{0, 0, 0}},
	} {
		t.Run(c.mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				b := startNode(t, n, 2, sessionsOff)
				log := newLinesLog()
				a := startNode(t, n, 1, pinnedBook(b.id()), inMode(c.mode), func(s *nodeSetup) {
					s.options = append(s.options, WithLogger(slog.New(log)))
				})
				for round, want := range c.want {
					a.dial(b)
					synctest.Wait() // for the log
					known, _ := a.book.Get(b.id())
					if got := log.count("has switched its sessions off"); got != want || !known.Session {
						t.Errorf("round %d: %d warnings, want %d; the book has %+v", round, got, want, known)
					}
					if err := a.Disconnect(t.Context(), b.id(), false); err != nil {
						t.Error(err)
					}
					time.Sleep(13 * time.Hour)
				}
			})
		})
	}
}
