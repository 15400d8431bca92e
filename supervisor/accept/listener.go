// Package accept keeps listeners usable: failed accept calls are retried, and sockets that wait are bounded.
package accept

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// The pause after failed accept calls: 5 ms, doubled for each failure in a row, at most 1 s.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// maxUnknown is how many unknown errors in a row end a listener, about 9 s after the first.
const maxUnknown = 16

// Failure is one failed accept call.
type Failure struct {
	Err   error
	Pause time.Duration // until the next call; 0: the call is repeated at once, or never
	Ended bool          // the listener has ended for good: Accept returns Err
}

// Listener retries accept calls that fail, so that net/http, which gives up at the first error that it does not know,
// never sees an error that passes. Errors of the operating system (EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM and others)
// are retried without limit, unknown ones 16 times in a row. Safe for concurrent use.
type Listener struct {
	net.Listener
	report  func(Failure)
	reserve *reserve
	closing chan struct{}
	close   func() error
}

// New wraps ln. report is called in the accepting goroutine for each failed call, but not after Close. descriptors is
// how many file descriptors are held in reserve: while the process has no other left, each lets one connection in.
func New(ln net.Listener, descriptors int, report func(Failure)) *Listener {
	closing := make(chan struct{})
	l := &Listener{Listener: ln, report: report, reserve: newReserve(descriptors), closing: closing}
	l.close = sync.OnceValue(func() error {
		close(closing)
		l.reserve.close()
		return ln.Close()
	})
	return l
}

// Close implements net.Listener. A pause of Accept ends.
func (l *Listener) Close() error { return l.close() }

// Accept implements net.Listener. It returns an error only when the listener has ended.
func (l *Listener) Accept() (net.Conn, error) {
	for inRow := 1; ; inRow++ {
		conn, err := l.accept()
		if err == nil {
			return l.reserve.lend(conn), nil
		}
		select {
		case <-l.closing:
			return nil, net.ErrClosed
		default:
		}
		failure := Failure{Err: err, Ended: ended(err, inRow)}
		if !failure.Ended && !(exhausted(err) && l.reserve.release()) {
			failure.Pause = pause(inRow)
		}
		l.report(failure)
		if failure.Ended {
			return nil, err
		}
		if !l.wait(failure.Pause) {
			return nil, net.ErrClosed
		}
	}
}

// accept calls the inner listener, which may be a program's and may panic or call runtime.Goexit: so it runs on a
// goroutine of its own.
func (l *Listener) accept() (conn net.Conn, err error) {
	err = errors.New("accept called runtime.Goexit")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("accept panicked: %v", fault)
			}
		}()
		conn, err = l.Listener.Accept()
	}()
	<-done
	if err == nil && conn == nil {
		err = errors.New("accept returned no connection")
	}
	return conn, err
}

// wait reports whether the pause has ended before the listener was closed.
func (l *Listener) wait(d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closing:
		return false
	}
}

// pause is the pause after a number of failures in a row.
func pause(inRow int) time.Duration {
	if inRow > 8 { // 5 ms doubled 8 times is over a second
		return maxPause
	}
	return min(firstPause<<(inRow-1), maxPause)
}

// ended reports whether err, the last of inRow failures in a row, means that no call can succeed any more.
func ended(err error, inRow int) bool {
	switch {
	case errors.Is(err, net.ErrClosed), unusable(err):
		return true
	case temporary(err):
		return false
	default:
		return inRow >= maxUnknown
	}
}
