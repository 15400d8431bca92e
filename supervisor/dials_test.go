package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
)

// Dials lists an address with its last error and next dial until its peer is connected, and again after PeerDown.
func TestDialsListUnconnectedAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(time.Minute)
		synctest.Wait()
		failed := eventsOf[DialFailed](a)
		last := failed[len(failed)-1]
		got := onlyDial(t, a)
		if got.Address != "10.0.0.2:9091" || got.Peer != "" || got.Failures != len(failed) || got.LastError != last.Err {
			t.Errorf("listed as %+v, want %d failures and %q", got, len(failed), last.Err)
		}
		if until := time.Until(got.NextDial); until <= 0 || until > last.RetryIn {
			t.Errorf("the next dial is in %v, want at most %v", until, last.RetryIn)
		}
		b := startNode(t, n, 2)
		time.Sleep(time.Minute)
		if dials, err := a.Dials(t.Context()); err != nil || len(dials) != 0 {
			t.Errorf("connected: listed %+v, %v", dials, err)
		}
		b.stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := onlyDial(t, a); got.Peer != b.id() || got.Failures == 0 || got.LastError == nil {
			t.Errorf("after its end: listed as %+v", got)
		}
	})
}

func TestDialsNameTheRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		if _, err := a.ConnectAddress(t.Context(), b.addr); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := a.Revoke(b.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		got := onlyDial(t, a)
		if got.Peer != b.id() || !errors.Is(got.LastError, ErrRevoked) || !got.NextDial.IsZero() {
			t.Errorf("listed as %+v", got)
		}
	})
}

func onlyDial(t *testing.T, n *testNode) DialInfo {
	t.Helper()
	dials, err := n.Dials(t.Context())
	if err != nil || len(dials) != 1 {
		t.Fatalf("listed %+v, %v; want one address", dials, err)
	}
	return dials[0]
}
