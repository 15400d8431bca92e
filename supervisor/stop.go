package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// Stop ends the node gracefully: it accepts and dials nobody any more, every peer gets what is queued for it and a
// disconnect message with code 1004, and after ShutdownTimeout, or when ctx ends, what is left is closed. When it
// returns, no goroutine of the node's runs but handlers that have not returned. The peer book is written, not closed.
// A second call waits for the first.
func (t *Transport) Stop(ctx context.Context) error {
	t.mu.Lock()
	phase := t.phase
	t.phase = transportStopped
	t.mu.Unlock()
	if phase == transportNew {
		if t.from.listener != nil {
			return t.from.listener.Close() // it was given to us
		}
		return nil
	}
	if phase == transportRunning {
		if t.listener != nil {
			t.listener.close()
		}
		t.tell(&shutdown{code: wire.DisconnectServerShutdown, reason: "server shutdown"})
	}
	select {
	case <-t.ended:
	case <-ctx.Done():
		t.tell(&hurry{})
		<-t.ended
	}
	t.work.Wait() // every socket is closed, so this does not take long
	<-t.writers.Idle()
	t.drain(ctx)
	t.workers.Close()
	t.unbounded.Close()
	if phase == transportRunning {
		return t.retain()
	}
	return nil
}

// idleWorkers is how many goroutines wait for the next turn of an actor, write or delivery: enough for what follows
// each other closely, little enough to be no burden.
const idleWorkers = 16

// handlerGrace is how long Stop waits for handlers, so that they have seen the end of every connection. One that
// called Stop itself cannot return before it.
const handlerGrace = time.Second

func (t *Transport) drain(ctx context.Context) {
	grace, cancel := context.WithTimeout(ctx, handlerGrace)
	defer cancel()
	select {
	case <-t.deliveries.Idle():
	case <-grace.Done():
	}
}

// retain keeps what the next run needs.
func (t *Transport) retain() error {
	path := t.book.path()
	if path == "" {
		return nil
	}
	if err := t.dedup.save(seenFile(path), time.Now(), t.node.Clock()); err != nil {
		return fmt.Errorf("what was seen cannot be kept for the next run: %w", err)
	}
	return t.book.end()
}
