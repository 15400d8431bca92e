package supervisor

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

func allowlist(s *nodeSetup) { _ = s.book.UseAuthMode(PeerAuthAllowlist) }

// A pinned address admits its peer in both directions, without a stored entry, and no other peer.
func TestPinPermitsItsPeerInBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, allowlist, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr + "#" + b.id()} })
		a.wantSlots(1, 0)
		if c := a.GetConnection(b.id()); c == nil || c.Direction() != Outbound {
			t.Fatal("the pinned peer is not connected")
		}
		n.Partition([]string{"10.0.0.1"}, []string{"10.0.0.2"})
		time.Sleep(time.Minute)
		n.Heal()
		b.dial(a)
		if c := a.GetConnection(b.id()); c == nil {
			t.Error("the pinned peer was not let in")
		}
		stranger := startNode(t, n, 3)
		if _, err := stranger.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrRefused) {
			t.Errorf("a stranger: %v, want a refusal", err)
		}
		if _, found := a.book.StoredAuthMode(); found || a.book.Allowed(b.keys.PublicKey()) {
			t.Error("a pin has changed the book")
		}
	})
}

// Another peer at a pinned address is refused, in open mode as well.
func TestPinExpectsItsPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		other := strings.Repeat("ab", 16)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr + "#" + other} })
		failed := eventsOf[DialFailed](a)
		if len(failed) != 1 || !errors.Is(failed[0].Err, actors.ErrWrongIdentity) || failed[0].Address != b.addr {
			t.Errorf("failed %+v, want ErrWrongIdentity at the plain address", failed)
		}
		c := startNode(t, n, 3)
		if _, err := c.ConnectAddress(t.Context(), b.addr+"#"+other); !errors.Is(err, actors.ErrWrongIdentity) {
			t.Errorf("connect: %v, want ErrWrongIdentity", err)
		}
		if _, err := c.ConnectAddress(t.Context(), b.addr+"#"+b.id()); err != nil {
			t.Error(err)
		}
		if known, _ := c.book.Get(b.id()); known.Address != b.addr || !known.Persistent {
			t.Errorf("the book says %+v, want the plain address", known)
		}
	})
}

// An address without a pin admits no peer: the error names the key.
func TestAllowlistNamesTheKeyOfAConfiguredPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, allowlist, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
		failed := eventsOf[DialFailed](a)
		var refused *NotAllowedError
		if len(failed) != 1 || !errors.Is(failed[0].Err, ErrNotAllowed) || errors.Is(failed[0].Err, ErrRevoked) ||
			!errors.As(failed[0].Err, &refused) || refused.Key != b.keys.PublicKey() {
			t.Errorf("failed %+v, want one NotAllowedError with the peer's key", failed)
		}
		if err := a.Allow(b.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		a.wantSlots(1, 0)
	})
}

// A revoked peer is disconnected, not admitted, and not dialled until it is allowed again, pinned or not.
func TestRevokedPeerIsNotDialled(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			b := startNode(t, n, 2)
			a := startNode(t, n, 1, func(s *nodeSetup) {
				s.cfg.Peers = []string{b.addr}
				if pinned {
					s.cfg.Peers[0] += "#" + b.id()
				}
			})
			a.wantSlots(1, 0)
			if err := a.Revoke(b.keys.PublicKey()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			a.wantSlots(0, 0)
			a.wantCount(actors.Dials, 1)
			if _, err := b.Connect(&Peer{Address: a.addr}); !errors.Is(err, ErrRefused) {
				t.Errorf("a revoked peer dials: %v, want a refusal", err)
			}
			if _, err := a.Connect(&Peer{Address: b.addr, ID: b.id()}); !errors.Is(err, ErrRevoked) {
				t.Errorf("connect: %v, want ErrRevoked", err)
			}
			a.wantCount(actors.Dials, 1)
			if err := a.Allow(b.keys.PublicKey()); err != nil {
				t.Fatal(err)
			}
			a.wantSlots(1, 0)
		})
	}
}

// A pin that is removed from the running configuration admits its peer no longer.
func TestReconfigureRemovesThePin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		cfg := DefaultTransportConfig()
		cfg.Peers = []string{b.addr + "#" + b.id()}
		a := startNode(t, n, 1, allowlist, func(s *nodeSetup) { s.cfg = cfg })
		a.wantSlots(1, 0)
		cfg.Peers = []string{b.addr}
		if _, _, err := a.Reconfigure(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		a.wantSlots(0, 0)
		if failed := eventsOf[DialFailed](a); len(failed) == 0 || !errors.Is(failed[0].Err, ErrNotAllowed) {
			t.Errorf("failed %+v, want ErrNotAllowed", failed)
		}
		cfg.Peers = []string{b.addr + "#" + b.id()}
		if _, _, err := a.Reconfigure(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		a.wantSlots(1, 0)
	})
}

func TestParsePinnedAddressSplitsThePin(t *testing.T) {
	id := strings.Repeat("0a", 16)
	for address, want := range map[string][2]string{
		"host:1":                   {"ws://host:1/ws", ""},
		"host:1#" + id:             {"ws://host:1/ws", id},
		"wss://host:1/other#" + id: {"wss://host:1/other", id},
	} {
		url, pin, err := ParsePinnedAddress(address, "/ws")
		if err != nil || url != want[0] || pin != want[1] {
			t.Errorf("%s: %s, %s, %v; want %q", address, url, pin, err, want)
		}
	}
	for _, address := range []string{
		"host:1#", "host:1#" + id[1:], "host:1#" + strings.ToUpper(id), "host:1#" + id + "#" + id, "#" + id,
	} {
		if _, _, err := ParsePinnedAddress(address, "/ws"); err == nil {
			t.Errorf("%s is accepted", address)
		}
	}
	if _, err := ParseAddress("host:1#"+id, "/ws"); err == nil {
		t.Error("ParseAddress accepts a pin, which it would lose")
	}
	cfg := DefaultTransportConfig()
	cfg.Peers = []string{"host:1#" + id, "ws://host:1#" + strings.Repeat("0b", 16)}
	var wrong *ConfigError
	if err := cfg.Validate(); !errors.As(err, &wrong) || wrong.Field != "Peers" {
		t.Errorf("one address with two pins: %v", err)
	}
}

// The peer closes a dialler's connection because of another one, which the dialler does not hold. The dialler waits for
// the maximum backoff: at once if its identity is in use, otherwise from the third consecutive close as a duplicate.
func TestDisplacedDiallerWaitsForTheMaximum(t *testing.T) {
	for reason, closes := range map[string]uint64{"duplicate connection": 3, "identity in use from another address": 1} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			b := startNode(t, n, 2)
			a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
			for range closes {
				time.Sleep(time.Second) // the second pause is 1 s at most
				synctest.Wait()
				b.GetConnection(a.id()).GracefulClose(reason, wire.DisconnectNormal)
			}
			time.Sleep(time.Minute - time.Nanosecond)
			a.wantCount(actors.Dials, closes)
			time.Sleep(time.Nanosecond)
			a.wantCount(actors.Dials, closes+1)
		})
	}
}

// A pin that is added while another peer is connected at the address applies from the next dial on.
func TestReconfigureAppliesThePin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		cfg := DefaultTransportConfig()
		cfg.Peers = []string{b.addr}
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg = cfg })
		cfg.Peers = []string{b.addr + "#" + strings.Repeat("ab", 16)}
		if _, _, err := a.Reconfigure(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		a.wantSlots(1, 0)
		b.GetConnection(a.id()).GracefulClose("bye", wire.DisconnectNormal)
		time.Sleep(time.Minute)
		a.wantSlots(0, 0)
		if failed := eventsOf[DialFailed](a); len(failed) == 0 || !errors.Is(failed[0].Err, actors.ErrWrongIdentity) {
			t.Errorf("failed %+v, want ErrWrongIdentity", failed)
		}
	})
}
