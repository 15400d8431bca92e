package runclock

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
)

// newClock returns a running clock and a function that stops this process for a time.
func newClock(t *testing.T) (clock *Clock, standStill func(time.Duration)) {
	t.Helper()
	clock = &Clock{}
	clock.Start()
	t.Cleanup(clock.Stop)
	return clock, func(d time.Duration) {
		time.Sleep(ms)
		resume := FreezeForTest(clock)
		time.Sleep(d)
		resume()
	}
}

// runningPair returns the two ends of a connection between two hosts, the near one under clock.
func runningPair(t *testing.T, clock *Clock) (near, far net.Conn) {
	t.Helper()
	n := sockettest.NewNetwork()
	ln, err := n.There.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err = n.Here.DialContext(context.Background(), "tcp", sockettest.ThereIP+":9091")
	if err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return Wrap(near, clock), far
}

func TestReadDeadlineExcludesStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := newClock(t)
		near, far := runningPair(t, clock)
		_ = near.SetReadDeadline(time.Now().Add(2 * time.Second))
		go func() {
			time.Sleep(time.Second)
			standStill(time.Minute)
			_, _ = far.Write([]byte("late"))
		}()
		if n, err := near.Read(make([]byte, 10)); n != 4 || err != nil {
			t.Fatalf("read %d bytes, %v; want 4 that arrive after the standstill", n, err)
		}
		began := time.Now()
		_, err := near.Read(make([]byte, 10))
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took < 900*ms || took > 1100*ms {
			t.Errorf("ended after %v with %v, want a timeout after the second that was left", took, err)
		}
		began = time.Now()
		if _, err := near.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 0 {
			t.Errorf("after its deadline: %v after %v", err, time.Since(began))
		}
	})
}

func TestWriteDeadlineExcludesStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := newClock(t)
		near, far := runningPair(t, clock)
		_ = near.SetDeadline(time.Now().Add(2 * time.Second))
		read := make(chan int)
		go func() {
			standStill(time.Minute)
			n, _ := io.Copy(io.Discard, io.LimitReader(far, 10<<20))
			read <- int(n)
		}()
		if n, err := near.Write(make([]byte, 10<<20)); n != 10<<20 || err != nil {
			t.Fatalf("wrote %d bytes, %v; want all", n, err)
		}
		if n := <-read; n != 10<<20 {
			t.Errorf("%d bytes arrived", n)
		}
		began := time.Now()
		n, err := near.Write(make([]byte, 10<<20))
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || took > 2*time.Second {
			t.Errorf("wrote %d bytes to a peer that takes nothing, %v after %v", n, err, took)
		}
	})
}

// The HTTP server ends a pending read by a deadline in the past; that is not a timeout of the peer.
func TestPastDeadlineEndsReadInStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := newClock(t)
		near, _ := runningPair(t, clock)
		_ = near.SetReadDeadline(time.Now().Add(10 * time.Second))
		failed := make(chan error)
		go func() {
			_, err := near.Read(make([]byte, 1))
			failed <- err
		}()
		standStill(time.Minute)
		began := time.Now()
		_ = near.SetReadDeadline(time.Unix(1, 0))
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 0 {
			t.Errorf("read ended with %v after %v", err, time.Since(began))
		}
	})
}

func TestTimerExcludesStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := newClock(t)
		began, fired := time.Now(), make(chan time.Duration, 10)
		timer := clock.AfterFunc(2*time.Second, func() { fired <- time.Since(began) })
		never := clock.AfterFunc(2*time.Second, func() { t.Error("a stopped timer fired") })
		within, cancel := clock.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		standStill(time.Minute)
		never.Stop()
		synctest.Wait()
		if len(fired) != 0 || within.Err() != nil {
			t.Fatal("fired in a standstill")
		}
		if after := <-fired; after < 61900*ms || after > 62100*ms {
			t.Errorf("fired after %v, want 2 s of running time", after)
		}
		synctest.Wait()
		if !errors.Is(context.Cause(within), context.DeadlineExceeded) {
			t.Errorf("the context ended by %v", context.Cause(within))
		}
		began = time.Now()
		timer.Reset(time.Second)
		timer.Reset(3 * time.Second)
		if after := <-fired; after != 3*time.Second {
			t.Errorf("set again for 3 s, fired after %v", after)
		}
	})
}
