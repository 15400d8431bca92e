package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Two nodes with default settings exchange messages both ways in a session.
func TestSessionCarriesMessagesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		time.Sleep(time.Second)
		for _, pair := range [][2]*testNode{{a, b}, {b, a}} {
			from, to := pair[0], pair[1]
			for range 50 {
				if err := from.Send(to.id(), from.to(to.id(), "chat", "hello")); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Second)
		for _, node := range []*testNode{a, b} {
			for c := range node.Connections() {
				if format := c.handle.Format(); !format.Session || c.Strength() != actors.Session {
					t.Errorf("%+v, strength %v", format, c.Strength())
				}
			}
			node.wantCount(actors.MessagesReceived, 50+1+1) // and a ping and its pong
			node.wantCount(actors.FramesMalformed, 0)
		}
	})
}
