package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// TestAwaitFirstDialsWaitsForEachAddress has one address that answers after 2 s and one that never does.
func TestAwaitFirstDialsWaitsForEachAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		n.Attach("10.0.0.9") // refuses
		n.Stall("10.0.0.2", "10.0.0.1")
		began := time.Now()
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr, "10.0.0.9:9091"} })
		time.AfterFunc(2*time.Second, func() { n.Resume("10.0.0.2", "10.0.0.1") })
		if err := a.AwaitFirstDials(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 2*time.Second || took > 11*time.Second {
			t.Errorf("it took %v, want the time of the slower dial", took)
		}
		if err := a.Send(b.id(), a.to(b.id(), "chat", 1)); err != nil {
			t.Errorf("the peer of a finished dial: %v", err)
		}
		began = time.Now()
		if err := a.AwaitFirstDials(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("finished dials took %v: %v", time.Since(began), err)
		}
	})
}
