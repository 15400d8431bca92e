package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// While handlers of a program block, ended connections keep their undelivered messages. Above the limit of such
// connections, new ones are refused until the handlers have caught up. No message is lost.
func TestBlockedHandlersBoundEndedConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		release := make(chan struct{})
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 8, -1
			s.handler = func(*PeerConnection, *wire.Message) { <-release }
		})
		address := n.Attach("10.0.0.99")
		visit := func() {
			t.Helper()
			peer := dialRefpeer(t, address, node)
			if _, err := peer.Send("stats", node.id(), 1); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			peer.Close()
			synctest.Wait()
		}
		for range minLagging {
			visit()
		}
		identity, err := refpeer.New("newcomer")
		if err != nil {
			t.Fatal(err)
		}
		var refused *refpeer.StatusError
		_, err = refpeer.Dial(t.Context(), node.URL(), refpeer.Options{Identity: identity, NetDial: address.DialContext})
		if !errors.As(err, &refused) || refused.Code != 503 {
			t.Errorf("behind %d blocked handlers: %v, want HTTP 503", minLagging, err)
		}
		node.wantCount(actors.ConnectionsRefused, 1)
		close(release)
		time.Sleep(time.Second)
		visit()
		if got := len(node.got("stats")); got != minLagging+1 {
			t.Errorf("%d messages handled, want %d", got, minLagging+1)
		}
		if downs := len(eventsOf[PeerDown](node)); downs != minLagging+1 {
			t.Errorf("%d ends reported, want %d", downs, minLagging+1)
		}
	})
}
