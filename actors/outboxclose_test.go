package actors

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/tests/sockettest"
)

func TestOutboxFailsPushAfterClose(t *testing.T) {
	b := newBoxed(10, 100)
	b.close(ErrClosed)
	b.close(errors.New("a second close changes nothing"))
	if err := b.post(&frame{data: make([]byte, 10)}, 10); err != ErrClosed {
		t.Errorf("posted after close: %v, want ErrClosed", err)
	}
	b.push(&frame{data: make([]byte, 7)})
	b.wantDepth(t, 0, 0)
	if len(b.started) != 0 {
		t.Error("a closed outbox started a writer")
	}
}

func TestOutboxReportsBrokenSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(1000, 8<<20)
		b.onSocket(p.ours)
		p.ours.Abort()
		if err := <-b.put(t, 10); !errors.Is(err, ErrClosed) || errors.Is(err, ErrWriteTimeout) {
			t.Errorf("on a closed socket: %v, want ErrClosed", err)
		}
		synctest.Wait()
		if len(b.reported()) != 1 || !errors.Is(b.reported()[0], ErrClosed) {
			t.Errorf("reported %v, want ErrClosed once", b.reported())
		}
	})
}

func TestOutboxClosesSocketBehindLastFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(10, 1000)
		b.attach(p.ours)
		first := b.put(t, 5)
		b.push(&frame{data: []byte("the last"), closeWith: &socket.CloseStatus{Code: 1000}})
		go b.started[0]()
		if got := sockettest.ReadOne(t, p.theirs); len(got) != 5 {
			t.Errorf("first %q", got)
		}
		if got := sockettest.ReadOne(t, p.theirs); !bytes.Equal(got, []byte("the last")) {
			t.Errorf("then %q", got)
		}
		if err := <-first; err != nil {
			t.Errorf("the first message: %v", err)
		}
		_, _, err := p.theirs.Read(context.Background())
		if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("then %v, want a close with 1000", err)
		}
		synctest.Wait()
		if len(b.reported()) != 0 {
			t.Errorf("reported %v, though nothing failed", b.reported())
		}
		if err := b.post(&frame{}, 1); err != ErrClosed {
			t.Errorf("post afterwards: %v, want ErrClosed", err)
		}
		b.wantDepth(t, 0, 0)
	})
}

// A close frame to a silent peer that does not answer costs a second.
func TestOutboxCloseWaitsOneSecondForSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(10, 1000)
		b.onSocket(p.ours)
		start := time.Now()
		b.push(&frame{closeWith: &socket.CloseStatus{Code: 1000}})
		if err := p.ours.Await(); err == nil || time.Since(start) != socket.LingerSilence {
			t.Errorf("over after %v with %v, want %v", time.Since(start), err, socket.LingerSilence)
		}
		if n := b.counters.Get(MessagesSent); n != 0 {
			t.Errorf("%d messages counted as sent; a close is none", n)
		}
	})
}
