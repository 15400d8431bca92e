package membus_test

import (
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/tests/bustest"
)

// The order of messages holds on virtual time only: each arrives in a goroutine of its own.
func TestBusKeepsItsPromises(t *testing.T) {
	for name, check := range bustest.Checks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := membus.New(1)
				check(t, network.Bus("a"), network.Bus("b"))
			})
		})
	}
}
