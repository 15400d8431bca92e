package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// flaky is a listener that fails on demand. A connection that arrives meanwhile is lost.
type flaky struct {
	net.Listener
	mu   sync.Mutex
	next func() error // called once, at the next connection
}

func (f *flaky) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	f.mu.Lock()
	next := f.next
	f.next = nil
	f.mu.Unlock()
	if next == nil || err != nil {
		return conn, err
	}
	conn.Close()
	return nil, next()
}

func (f *flaky) fail(next func() error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

// startFlaky starts node 1 on a flaky listener, and node 2. The log of node 1 goes to the buffer.
func startFlaky(t *testing.T) (f *flaky, a, b *testNode, log *bytes.Buffer) {
	n := memnet.New(1)
	f, log = &flaky{}, &bytes.Buffer{}
	a = startNode(t, n, 1, func(s *nodeSetup) {
		s.options = []Option{func(o *options) {
			f.Listener = o.listener
			o.listener, o.log = f, slog.New(slog.NewTextHandler(log, nil))
		}}
	})
	return f, a, startNode(t, n, 2), log
}

func (n *testNode) tryDial(other *testNode) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := n.ConnectContext(ctx, &Peer{Address: other.addr})
	synctest.Wait()
	return err
}

func TestFailedAcceptIsRetried(t *testing.T) {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM, syscall.ECONNABORTED,
	} {
		t.Run(fmt.Sprint(errno), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, a, b, log := startFlaky(t)
				f.fail(func() error { return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)} })
				if err := b.tryDial(a); err == nil {
					t.Fatal("the listener did not fail")
				}
				if err := b.tryDial(a); err != nil {
					t.Errorf("after the failure: %v", err)
				}
				a.wantCount(actors.AcceptErrors, 1)
				if !a.Accepting() || strings.Count(log.String(), "could not be accepted") != 1 ||
					len(eventsOf[ListenerDown](a)) != 0 {
					t.Errorf("accepting %v, log %s, events %v", a.Accepting(), log, a.seen())
				}
			})
		})
	}
}

func TestListenerReportsItsEnd(t *testing.T) {
	gone := errors.New("gone")
	ends := map[string]func() error{
		"closed":  func() error { return net.ErrClosed },
		"EBADF":   func() error { return fmt.Errorf("%w: %w", gone, syscall.EBADF) },
		"EINVAL":  func() error { return syscall.EINVAL },
		"ENOTSUP": func() error { return syscall.EOPNOTSUPP },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, a, b, log := startFlaky(t)
				f.fail(end)
				if err := b.tryDial(a); err == nil {
					t.Fatal("the listener did not end")
				}
				down := eventsOf[ListenerDown](a)
				if len(down) != 1 || down[0].Err == nil || down[0].Address != a.addr {
					t.Errorf("events %v", a.seen())
				}
				if a.Accepting() || !strings.Contains(log.String(), "listening ended") {
					t.Errorf("accepting %v, log %s", a.Accepting(), log)
				}
				if err := a.tryDial(b); err != nil {
					t.Errorf("a node that does not listen still dials: %v", err)
				}
			})
		})
	}
}

func TestStopReportsNoListenerEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, _, log := startFlaky(t)
		if err := a.Stop(); err != nil {
			t.Fatal(err)
		}
		a.wantCount(actors.AcceptErrors, 0)
		if len(eventsOf[ListenerDown](a)) != 0 || strings.Contains(log.String(), "listening ended") {
			t.Errorf("events %v, log %s", a.seen(), log)
		}
	})
}

func TestWaitingLimitsFollowConfig(t *testing.T) {
	for _, c := range []struct{ conns, perAddress, descriptors, each, total int }{
		{100, 25, 0, 25, 1024},
		{10, 2, 0, 16, 1024},
		{1000, 250, 1 << 20, 250, 4000},
		{100, -1, 1 << 20, -1, 1024},
		{100, 25, 40, 25, 10},
		{100, 25, 1024, 25, 256},
	} {
		cfg := &TransportConfig{MaxConns: c.conns, MaxConnsPerAddress: c.perAddress}
		if each, total := waitingLimits(cfg, c.descriptors); each != c.each || total != c.total {
			t.Errorf("%+v: %d and %d", c, each, total)
		}
	}
}

func TestListenNetworkFollowsTheLiteral(t *testing.T) {
	for address, want := range map[string]string{
		":9091": "tcp", "localhost:1": "tcp", "0.0.0.0:1": "tcp4", "127.0.0.1:1": "tcp4", "[::]:1": "tcp6",
		"[::1]:1": "tcp6", "[fe80::1%lo]:1": "tcp6", "[::ffff:127.0.0.1]:1": "tcp4", "nonsense": "tcp",
	} {
		if got := listenNetwork(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
