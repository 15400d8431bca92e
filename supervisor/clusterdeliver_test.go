package supervisor

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/wire"
)

// Messages of other members for a held peer wait, in order and within the limits of a queue, until it has a route or
// none.
func TestHoldKeepsMessagesOfOtherMembersInOrder(t *testing.T) {
	for _, conn := range []*PeerConnection{{}, nil} {
		synctest.Test(t, func(t *testing.T) {
			table, cfg := newRouteTable(), DefaultTransportConfig()
			cfg.QueueMessages = 3
			var order []int
			send := func(i int) func(route) {
				return func(via route) {
					if via.conn != conn {
						t.Errorf("message %d: route %p, want %p", i, via.conn, conn)
					}
					order = append(order, i)
				}
			}
			msg := &wire.Message{Payload: []byte("1")}
			if held, err := table.whenRouted("peer", msg, &cfg, send(0)); held || err != nil {
				t.Errorf("a peer that is not held: %v, %v", held, err)
			}
			table.setUnverified("peer", true)
			for i := range 3 {
				if held, err := table.whenRouted("peer", msg, &cfg, send(i)); !held || err != nil {
					t.Errorf("message %d: %v, %v", i, held, err)
				}
			}
			if _, err := table.whenRouted("peer", msg, &cfg, send(3)); !errors.Is(err, ErrQueueFull) {
				t.Errorf("one message too many: %v", err)
			}
			if conn != nil {
				table.set("peer", conn, nil)
			} else {
				table.remove("peer")
			}
			synctest.Wait()
			if !slices.Equal(order, []int{0, 1, 2}) {
				t.Errorf("order %v", order)
			}
		})
	}
}
