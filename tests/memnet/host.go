package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Host is one process at an address, from Attach to Crash. A restarted process is a new Host.
type Host struct {
	net *Network
	ip  string

	// Guarded by net.mu.
	listener *Listener
	dead     bool // the process has ended
	off      bool // the machine has no power: it answers nothing, not even with a reset
	nextPort int
	dialing  int
	sockets  int
	peak     int
}

// Attach starts a process at an IP address. A previous process there must have crashed or closed all its sockets.
func (n *Network) Attach(ip string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := &Host{net: n, ip: ip, nextPort: 40000}
	if old := n.hosts[ip]; old != nil {
		h.nextPort = old.nextPort
	}
	n.hosts[ip] = h
	// A machine with power again answers segments of unknown connections with a reset.
	for _, e := range n.sorted() {
		if other := e.peer; other.mute && other.host.ip == ip && other.host.off {
			other.mute = false
			other.arrive()
		}
	}
	n.changed.Broadcast()
	return h
}

// IP returns the host's address.
func (h *Host) IP() string { return h.ip }

// Sockets returns the number of open connections of the process: all dialled ones, and those accepted ones that it
// upgraded with an HTTP status 101.
func (h *Host) Sockets() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.sockets
}

// Peak returns the highest value of Sockets since Attach.
func (h *Host) Peak() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.peak
}

// Dialing returns the number of dials in progress.
func (h *Host) Dialing() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.dialing
}

// hold counts one more socket. The caller holds net.mu.
func (h *Host) hold() {
	h.sockets++
	h.peak = max(h.peak, h.sockets)
}

// Crash ends the process without a disconnect. Every Read and Write on its sockets fails. Without powerLoss the
// operating system resets its connections; with powerLoss its peers receive nothing until the next Attach, and then
// resets.
func (h *Host) Crash(powerLoss bool) {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	h.dead, h.off = true, powerLoss
	if h.listener != nil {
		h.listener.shut()
	}
	for _, e := range n.sorted() {
		if e.host != h {
			continue
		}
		e.dead, e.mute = net.ErrClosed, powerLoss
		if !powerLoss {
			e.send(segment{kind: reset})
		}
		e.retire()
	}
	n.changed.Broadcast()
}

// DialContext connects to a listener, as net.Dialer.DialContext does, and takes one round trip. While the path is
// stalled or the machine has no power, it blocks until ctx ends.
func (h *Host) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := h.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	return conn, nil
}

func (h *Host) dial(ctx context.Context, address string) (*end, error) {
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	n, ip := h.net, to.IP.String()
	n.mu.Lock()
	defer n.mu.Unlock()
	h.dialing++
	defer func() { h.dialing-- }()
	arrives := time.Now().Add(n.path(h.ip, ip).latency + n.path(ip, h.ip).latency)
	defer context.AfterFunc(ctx, n.wake)()
	// A timer of 0 in a synctest bubble can crash go1.26.8 under the race detector.
	if wait := time.Until(arrives); wait > 0 {
		defer time.AfterFunc(wait, n.wake).Stop()
	}
	for {
		there, back := n.path(h.ip, ip), n.path(ip, h.ip)
		address := to
		if there.via != "" {
			address = &net.TCPAddr{IP: net.ParseIP(there.via), Port: to.Port}
		}
		target := n.hosts[address.IP.String()]
		blocked := there.stalled || back.stalled
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case h.dead:
			return nil, net.ErrClosed
		case blocked && (there.refuses || back.refuses):
			return nil, syscall.EHOSTUNREACH
		case time.Now().Before(arrives), blocked, target != nil && target.off:
			n.changed.Wait()
		case target == nil || target.listener == nil || target.listener.port != to.Port:
			return nil, syscall.ECONNREFUSED
		default:
			return n.connect(h, target, address), nil
		}
	}
}

func (n *Network) wake() {
	n.mu.Lock()
	n.changed.Broadcast()
	n.mu.Unlock()
}

// Listener accepts connections at one port of a host.
type Listener struct {
	host    *Host
	port    int
	backlog []*end
	closed  bool
}

// Listen opens the listener of the host. A host has at most one at a time.
func (h *Host) Listen(port int) (*Listener, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.dead || h.listener != nil {
		return nil, fmt.Errorf("listen %s:%d: %w", h.ip, port, errors.Join(syscall.EADDRINUSE))
	}
	h.listener = &Listener{host: h, port: port}
	h.net.changed.Broadcast()
	return h.listener, nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for !l.closed && len(l.backlog) == 0 {
		n.changed.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
	}
	conn := l.backlog[0]
	l.backlog = l.backlog[1:]
	return conn, nil
}

// Close implements net.Listener. It resets the connections that were not yet accepted.
func (l *Listener) Close() error {
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	l.shut()
	return nil
}

// shut closes the listener. The caller holds net.mu.
func (l *Listener) shut() {
	if l.closed {
		return
	}
	l.closed = true
	if l.host.listener == l {
		l.host.listener = nil
	}
	for _, e := range l.backlog {
		if !e.closed {
			e.send(segment{kind: reset})
			e.retire()
		}
	}
	l.backlog = nil
	l.host.net.changed.Broadcast()
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(l.host.ip), Port: l.port} }
