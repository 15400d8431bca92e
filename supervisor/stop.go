package supervisor

import (
	"context"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// Stop ends the transport gracefully. It accepts and dials no more, and each peer gets its queued messages and a
// disconnect message with code 1004. Connections that are still open after ShutdownTimeout are closed. When Stop
// returns, no goroutine of the transport runs except handlers that have not returned. The peer book is written, not
// closed. A second call waits for the first and returns its result.
func (t *Transport) Stop() error { return t.StopContext(context.Background()) }

// StopContext is Stop that closes the remaining connections when ctx ends. If another call is stopping the transport,
// the end of ctx makes that call close them, and StopContext returns ctx's error.
func (t *Transport) StopContext(ctx context.Context) error {
	t.mu.Lock()
	phase := t.phase
	t.phase = transportStopped
	t.mu.Unlock()
	if phase == transportStopped {
		return t.awaitStop(ctx)
	}
	defer close(t.stopped)
	if phase == transportRunning {
		t.stopError = t.stopRunning(ctx)
	} else if t.opts.listener != nil {
		t.stopError = t.opts.listener.Close() // from WithListener
	}
	return t.stopError
}

// awaitStop waits for the call that stops the transport.
func (t *Transport) awaitStop(ctx context.Context) error {
	select {
	case <-t.stopped:
	case <-ctx.Done():
	}
	select {
	case <-t.stopped: // takes precedence over the end of ctx
		return t.stopError
	default:
	}
	if t.PID() != nil {
		t.tell(&stopNow{})
	}
	return ctx.Err()
}

// stopRunning stops the running node.
func (t *Transport) stopRunning(ctx context.Context) error {
	if t.listener != nil {
		t.listener.close()
	}
	t.tell(&shutdown{code: wire.DisconnectShutdown, reason: "server shutdown"})
	select {
	case <-t.ended:
	case <-ctx.Done():
		t.tell(&stopNow{})
	}
	return t.cleanup(ctx)
}

// cleanup waits until the registry and all goroutines have stopped, and saves the state for the next run.
func (t *Transport) cleanup(ctx context.Context) error {
	<-t.ended
	<-t.posted
	defer t.flushLog(ctx)
	defer t.clock.Stop()
	defer t.bus.close()
	t.answers.close()
	t.conversations.close()
	t.work.Wait() // soon, because every socket is closed
	<-t.writers.Idle()
	t.drain(ctx)
	if t.opts.cluster != nil {
		t.opts.cluster.Leave() // hands the seen messages over: after the last delivery
	}
	t.workers.Close()
	t.unbounded.Close()
	return t.save()
}

// idleWorkers is the number of idle goroutines kept for the next mailbox run, write or delivery: enough for bursts, and
// cheap.
const idleWorkers = 16

// handlerGrace is how long Stop waits for handlers to process the end of every connection, and for the log handler to
// write the lines that wait. A handler that calls Stop cannot return before Stop.
const handlerGrace = time.Second

func (t *Transport) drain(ctx context.Context) {
	grace, cancel := context.WithTimeout(ctx, handlerGrace)
	defer cancel()
	select {
	case <-t.deliveries.Idle():
	case <-grace.Done():
	}
}

// flushLog waits for the log handler.
func (t *Transport) flushLog(ctx context.Context) {
	if t.log == nil {
		return
	}
	grace, cancel := context.WithTimeout(ctx, handlerGrace)
	defer cancel()
	t.log.Flush(grace)
}

// save stores the state for the next run.
func (t *Transport) save() error {
	path := t.book.Path()
	if path == "" {
		return nil
	}
	if err := t.dedup.Save(seenFile(path), time.Now(), t.node.Clock()); err != nil {
		return fmt.Errorf("save the message ids for the next run: %w", err)
	}
	return t.book.End()
}
