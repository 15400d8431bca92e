package supervisor

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// blockedLog is a log handler whose reader has stopped: no method returns before release is closed.
type blockedLog struct{ release chan struct{} }

func (l blockedLog) Enabled(context.Context, slog.Level) bool {
	<-l.release
	return true
}

func (l blockedLog) Handle(context.Context, slog.Record) error {
	<-l.release
	return nil
}

func (l blockedLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l blockedLog) WithGroup(string) slog.Handler      { return l }

// A log that is not read blocks neither the registry nor a connection nor the listener: strangers whose handshakes are
// refused cause lines, and a peer connects and gets its messages all the same. Stop waits a second for the log.
func TestBlockedLogBlocksNoActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		log := blockedLog{make(chan struct{})}
		defer close(log.release)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.options = append(s.options, WithLogger(slog.New(log)))
			s.cfg.Peers = []string{"10.0.0.9:1"} // no node listens there: the registry logs a line
		})
		impostor(t, n, "10.0.0.5", node.addr, crypto.NodeIdentity{ID: "wrong"}).CloseNow() // a line in a connection
		if status, _ := upgrade(t, n.Attach("10.0.0.6"), node.addr, "Origin: http://x\r\n"); status != 403 {
			t.Errorf("another origin: %d, want 403", status) // a line in the listener
		}
		synctest.Wait()
		node.wantCount(actors.OriginsRefused, 1)
		peer := startNode(t, n, 2)
		peer.dial(node)
		for i := range 20 {
			if err := peer.Send(node.id(), peer.to(node.id(), "stats", i)); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(node.got("stats")); got != 20 {
			t.Errorf("%d of 20 messages arrived", got)
		}
		start := time.Now()
		if err := node.Stop(); err != nil || time.Since(start) > 2*handlerGrace {
			t.Errorf("Stop: %v after %v", err, time.Since(start))
		}
	})
}
