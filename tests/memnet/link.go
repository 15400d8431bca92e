package memnet

import (
	"errors"
	"syscall"
	"time"
)

// Link is one connection, as the test driver sees it.
type Link struct{ near *end } // the opener's end

// Links returns the connections between two hosts with at least one open end, oldest first.
func (n *Network) Links(a, b string) []Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []Link
	seen := make(map[*end]bool)
	for _, e := range n.sorted() {
		near := e
		if !e.opener {
			near = e.peer
		}
		from, to := near.host.ip, near.peer.host.ip
		if !seen[near] && (from == a && to == b || from == b && to == a) {
			seen[near] = true
			all = append(all, Link{near})
		}
	}
	return all
}

// Opener returns the address of the host that dialled.
func (l Link) Opener() string { return l.near.host.ip }

// Age returns the time since the connection was created.
func (l Link) Age() time.Duration { return time.Since(l.near.made) }

// Whole reports whether both ends are open and neither has failed.
func (l Link) Whole() bool {
	l.near.net.mu.Lock()
	defer l.near.net.mu.Unlock()
	for _, e := range []*end{l.near, l.near.peer} {
		if e.closed || e.dead != nil || e.mute {
			return false
		}
	}
	return true
}

// Damaged reports whether the connection has carried a corrupted byte.
func (l Link) Damaged() bool {
	l.near.net.mu.Lock()
	defer l.near.net.mu.Unlock()
	return l.near.damaged
}

// Cut resets both ends at once. Bytes in flight are lost.
func (l Link) Cut() {
	l.near.net.mu.Lock()
	defer l.near.net.mu.Unlock()
	l.near.kill(syscall.ECONNRESET)
	l.near.peer.kill(syscall.ECONNRESET)
}

// errVanished is the error of Read and Write at a vanished end.
var errVanished = errors.New("connection vanished")

// Vanish leaves the connection half open: the end at ip fails at once; the other end receives no reset and no more
// bytes.
func (l Link) Vanish(ip string) {
	l.near.net.mu.Lock()
	defer l.near.net.mu.Unlock()
	e := l.near
	if e.host.ip != ip {
		e = e.peer
	}
	e.mute = true
	e.kill(errVanished)
}
