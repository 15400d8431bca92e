// Package accept keeps listeners usable: it retries failed accept calls and bounds the number of waiting sockets.
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

// maxUnknown is the number of consecutive unknown errors that end a listener, about 9 s after the first.
const maxUnknown = 16

// Failure is one failed accept call.
type Failure struct {
	Err   error
	Pause time.Duration // until the next call; 0: the next call follows at once, or never
	Ended bool          // the listener has failed permanently: Accept returns Err
}

// Listener retries failed accept calls, because net/http stops serving at the first error that it does not know. Errors
// of the operating system (EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM and others) are retried without limit, unknown errors
// 16 times in a row. Safe for concurrent use.
type Listener struct {
	net.Listener
	report  func(Failure)
	reserve *reserve
	closing chan struct{}
	close   func() error
}

// New wraps ln. The accepting goroutine calls report for each failed call, but not after Close. descriptors is the
// number of file descriptors held in reserve: when the process has no other left, each admits one connection.
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

// Close implements net.Listener. It ends a pause of Accept.
func (l *Listener) Close() error { return l.close() }

var errExited = errors.New("accept called runtime.Goexit")

// Accept implements net.Listener. It returns an error only if the listener has failed permanently or is closed.
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
		if !failure.Ended && (!exhausted(err) || !l.reserve.release()) {
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

// accept calls the inner listener on another goroutine, because a listener of the program may panic or call
// runtime.Goexit.
func (l *Listener) accept() (conn net.Conn, err error) {
	err = errExited
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

// wait waits for d. It returns false if the listener is closed before.
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

// pause returns the pause after consecutive failures.
func pause(inRow int) time.Duration {
	if inRow > 8 { // 5 ms doubled 8 times is over a second
		return maxPause
	}
	return min(firstPause<<(inRow-1), maxPause)
}

// ended reports whether no further call can succeed after err, the last of inRow consecutive failures.
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
