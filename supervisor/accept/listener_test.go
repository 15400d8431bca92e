package accept

import (
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a listener that fails as scripted, then accepts.
type scripted struct {
	net.Listener
	script []error // nil: a connection
	panics bool
}

func (s *scripted) Accept() (net.Conn, error) {
	if s.panics {
		s.panics = false
		panic("injected")
	}
	next := s.script[0]
	s.script = s.script[1:]
	if next != nil {
		return nil, next
	}
	conn, _ := net.Pipe()
	return conn, nil
}

func (s *scripted) Close() error { return nil }

func acceptError(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

func TestListenerRetriesWithGrowingPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &scripted{}
		for _, errno := range []syscall.Errno{
			syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM, syscall.ECONNABORTED,
			syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, syscall.EMFILE,
		} {
			inner.script = append(inner.script, acceptError(errno))
		}
		inner.script = append(inner.script, nil, acceptError(syscall.EMFILE), nil)
		var pauses []time.Duration
		l := New(inner, 0, func(f Failure) {
			if f.Ended {
				t.Errorf("ended by %v", f.Err)
			}
			pauses = append(pauses, f.Pause)
		})
		start := time.Now()
		for range 2 {
			if _, err := l.Accept(); err != nil {
				t.Fatal(err)
			}
		}
		want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 5}
		var sum time.Duration
		for i := range want {
			want[i] *= time.Millisecond
			sum += want[i]
		}
		if !slices.Equal(pauses, want) || time.Since(start) != sum {
			t.Errorf("pauses %v within %v, want %v", pauses, time.Since(start), want)
		}
	})
}

func TestListenerEndsOnPermanentErrors(t *testing.T) {
	unknown := slices.Repeat([]error{errors.New("unknown")}, maxUnknown)
	for name, c := range map[string]struct {
		script []error
		calls  int
	}{
		"closed":                  {[]error{acceptError(syscall.EMFILE), net.ErrClosed}, 2},
		"no socket":               {[]error{acceptError(syscall.ENOTSOCK)}, 1},
		"bad descriptor":          {[]error{acceptError(syscall.EBADF)}, 1},
		"does not listen":         {[]error{acceptError(syscall.EINVAL)}, 1},
		"unknown, 16 in a row":    {unknown, maxUnknown},
		"unknown, 15, connection": {append(slices.Clone(unknown[:maxUnknown-1]), nil, net.ErrClosed), maxUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []Failure
				l := New(&scripted{script: c.script}, 0, func(f Failure) { got = append(got, f) })
				var err error
				for err == nil {
					_, err = l.Accept()
				}
				if len(got) != c.calls || !errors.Is(err, got[len(got)-1].Err) {
					t.Fatalf("%d failures, Accept %v: %v", len(got), err, got)
				}
				for i, f := range got {
					if f.Ended != (i == len(got)-1) {
						t.Errorf("failure %d: %+v", i, f)
					}
				}
			})
		})
	}
}

func TestListenerSurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 0
		l := New(&scripted{script: []error{nil}, panics: true}, 0, func(Failure) { failures++ })
		if conn, err := l.Accept(); err != nil || conn == nil || failures != 1 {
			t.Errorf("%v, %v after %d failures", conn, err, failures)
		}
	})
}

func TestCloseEndsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(&scripted{script: slices.Repeat([]error{acceptError(syscall.EMFILE)}, 100)}, 0, func(Failure) {})
		done := make(chan error)
		go func() {
			_, err := l.Accept()
			done <- err
		}()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		start := time.Now()
		_ = l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// With a reserve, as many failed calls as it holds are repeated at once. The end of a connection refills it.
func TestReserveLetsConnectionsIn(t *testing.T) {
	full := acceptError(syscall.EMFILE)
	var pauses []time.Duration
	l := New(&scripted{script: []error{full, full, full, nil}}, 2, func(f Failure) { pauses = append(pauses, f.Pause) })
	conn, err := l.Accept()
	if err != nil || !slices.Equal(pauses, []time.Duration{0, 0, 20 * time.Millisecond}) {
		t.Fatalf("%v, pauses %v", err, pauses)
	}
	for l.reserve.release() { // simulates accept's refill: descriptors are available here
	}
	_ = conn.Close()
	if n := len(l.reserve.held); n != 2 {
		t.Errorf("the end of a connection leaves %d in reserve, want 2", n)
	}
	_ = l.Close()
	if n := len(l.reserve.held); n != 0 {
		t.Errorf("%d are open after Close", n)
	}
}
