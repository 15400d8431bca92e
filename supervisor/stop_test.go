package supervisor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// newTransport makes a transport that does not listen by default, and does not start it.
func newTransport(t *testing.T, book *PeerRegistry, changes ...func(*TransportConfig)) *Transport {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultTransportConfig()
	cfg.ListenAddr = ""
	for _, change := range changes {
		change(&cfg)
	}
	node, err := NewTransport(keys, book, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return node
}

func TestStopWorksWithoutStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := newTransport(t, NewPeerRegistry())
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for i, ctx := range []context.Context{t.Context(), t.Context(), ended} {
			if err := node.StopContext(ctx); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
	})
}

// A second Stop returns when the first has saved the message ids, or with the error of its own context.
func TestSecondStopWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopping atomic.Bool
		keep := make(chan struct{})
		wall := func() time.Time { // the last call before the message ids are saved
			if stopping.Load() {
				<-keep
			}
			return time.Now()
		}
		path := filepath.Join(t.TempDir(), "peers.db")
		node := startNode(t, memnet.New(1), 1, func(s *nodeSetup) {
			s.book, s.options = openBook(t, path), []Option{WithClock(wall)}
		})
		stopping.Store(true)
		results := make(chan error, 2)
		for range 2 {
			go func() {
				err := node.StopContext(t.Context())
				_, none := os.Stat(seenFile(path))
				results <- errors.Join(err, none)
			}()
			synctest.Wait()
		}
		if len(results) != 0 {
			t.Error("a call returned before the end")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := node.StopContext(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
		close(keep)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

// Every call of Stop returns the error of saving the message ids.
func TestEveryStopReturnsTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "peers.db")
		node := newTransport(t, openBook(t, path))
		if err := node.Start(); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(seenFile(path), 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if err := node.StopContext(t.Context()); err == nil {
				t.Errorf("call %d: nothing is kept, and no error", i)
			}
		}
		time.Sleep(2 * time.Second) // the dead-letter throttle of the actor library
	})
}

// The end of a later call's context ends the graceful phase of the first call.
func TestSecondStopEndsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		n.Stall("10.0.0.1", "10.0.0.2")
		for range 4 {
			go func() { _ = a.Send(b.id(), a.to(b.id(), "stats", strings.Repeat("x", 200_000))) }()
		}
		synctest.Wait()
		start := time.Now()
		first := make(chan error, 1)
		go func() { first <- a.Stop() }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.StopContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second: %v", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v, want a second", took)
		}
		n.Heal()
	})
}

// A failed Start leaves no goroutine, which the bubble would detect, and no work for Stop.
func TestFailedStartLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "peers.db")
		book := openBook(t, path)
		node := newTransport(t, book, func(c *TransportConfig) {
			c.ListenAddr, c.TLSCertPath, c.TLSKeyPath = "127.0.0.1:0", "/not/there", "/nor/there"
		})
		if err := node.Start(); !containsText(err, "/not/there") {
			t.Errorf("Start: %v, want an error that names the file", err)
		}
		if err := node.StopContext(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if crashed, err := book.Begin(); crashed || err != nil {
			t.Errorf("the next run believes that this one crashed (%v)", err)
		}
		time.Sleep(2 * time.Second) // the dead-letter throttle of the actor library
	})
}
