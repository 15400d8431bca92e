package service

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNilManagerDoesNothing(t *testing.T) {
	var m *Manager
	ln, err := m.Listener()
	if err := errors.Join(err, m.Ready("x"), m.Stopping()); err != nil || ln != nil {
		t.Errorf("%v, %v", ln, err)
	}
	m.Watch(context.Background(), func(context.Context) error { return nil })
}

// The watchdog gets two notifications per interval, and none while the node does not answer.
func TestWatchNotifiesWhileAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		heard, silent := 0, false
		m := &Manager{watchdog: 10 * time.Second, notify: func(state string) error {
			mu.Lock()
			defer mu.Unlock()
			if state == "WATCHDOG=1" {
				heard++
			}
			return nil
		}}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go m.Watch(ctx, func(ctx context.Context) error {
			mu.Lock()
			quiet := silent
			mu.Unlock()
			if quiet {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		time.Sleep(21 * time.Second)
		mu.Lock()
		if heard != 4 {
			t.Errorf("heard %d times in 21 s", heard)
		}
		silent = true
		mu.Unlock()
		time.Sleep(time.Minute)
		if heard != 4 {
			t.Errorf("heard %d times of a node that does not answer", heard)
		}
	})
}

func TestListenerTakesOneStreamSocket(t *testing.T) {
	open := func(n int) []net.Listener {
		var all []net.Listener
		for range n {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ln.Close() }) // some tests close it
			all = append(all, ln)
		}
		return all
	}
	failure := errors.New("no")
	for _, c := range []struct {
		name    string
		given   []net.Listener
		err     error
		found   bool
		problem string
	}{
		{"none", nil, nil, false, ""},
		{"one", open(1), nil, true, ""},
		{"two", open(2), nil, false, "takes one stream socket"},
		{"no stream", []net.Listener{nil}, nil, false, "takes one stream socket"},
		{"an error", nil, failure, false, "no"},
	} {
		m := &Manager{open: func() ([]net.Listener, error) { return slices.Clone(c.given), c.err }}
		ln, err := m.Listener()
		if (ln != nil) != c.found || (err != nil) != (c.problem != "") ||
			err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, %v", c.name, ln, err)
		}
	}
}
