package systems

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// dialing opens connections of a flock, several at a time, on one goroutine and with few system calls, so that the
// accepting node takes most of the time.
type dialing struct {
	flock   *Flock
	address unix.SockaddrInet4
	request []byte
	epoll   int
	visits  map[int32]*visit // by file descriptor
	buffer  [4096]byte
}

// visit is one connection during its handshake.
type visit struct {
	peer     *puppet
	received []byte // not yet consumed
	upgraded bool
}

// idleTimeout limits the time without any progress.
const idleTimeout = 20 * time.Second

func newDialing(f *Flock) (*dialing, error) {
	to, err := netip.ParseAddrPort(f.host)
	if err != nil {
		return nil, err
	}
	d := &dialing{flock: f, visits: make(map[int32]*visit)}
	d.address = unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	d.request = []byte("GET /ws HTTP/1.1\r\nHost: " + f.host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	d.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return d, err
}

// run connects the peers, parallel at a time.
func (d *dialing) run(peers []*puppet, parallel int) error {
	events := make([]unix.EpollEvent, parallel)
	for len(peers) > 0 || len(d.visits) > 0 {
		for len(peers) > 0 && len(d.visits) < parallel {
			if err := d.begin(peers[0]); err != nil {
				return err
			}
			peers = peers[1:]
		}
		n, err := unix.EpollWait(d.epoll, events, int(idleTimeout.Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("%d connections made no progress for %v", len(d.visits), idleTimeout)
		}
		for _, event := range events[:n] {
			if err := d.advance(descriptor(event.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin connects, which completes at once on the loopback interface, and requests the upgrade to WebSocket.
func (d *dialing) begin(p *puppet) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	d.visits[int32(fd)] = &visit{peer: p}
	if err := unix.Connect(fd, &d.address); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if _, err := descriptor(fd).Write(d.request); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(d.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// advance reads the received bytes and sends the next message. After the handshake the watch gets the connection.
func (d *dialing) advance(fd descriptor) error {
	v := d.visits[int32(fd)]
	n, err := unix.Read(int(fd), d.buffer[:])
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return nil
	case err != nil:
		return err
	case n == 0:
		return errors.New("the node closed the connection")
	}
	v.received = append(v.received, d.buffer[:n]...)
	done, err := v.step(fd)
	if err != nil || !done {
		return err
	}
	if err := unix.EpollCtl(d.epoll, unix.EPOLL_CTL_DEL, int(fd), nil); err != nil {
		return err
	}
	delete(d.visits, int32(fd))
	v.peer.conn = fd
	return d.flock.watch.add(fd, &frameCounter{count: &d.flock.count}, v.received)
}

// step answers a complete message and reports whether it was the last of the handshake.
func (v *visit) step(fd descriptor) (done bool, err error) {
	if !v.upgraded {
		// The key of the answer is not checked.
		head, rest, whole := bytes.Cut(v.received, []byte("\r\n\r\n"))
		if !whole {
			return false, nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
			return false, fmt.Errorf("no upgrade: %.60q", head)
		}
		v.upgraded, v.received = true, rest
		if v.peer.handshake == nil {
			return true, nil
		}
		if _, err := fd.Write(v.peer.handshake); err != nil {
			return false, err
		}
	}
	head, payload, ok := header(v.received)
	if !ok || len(v.received) < head+payload {
		return false, nil
	}
	hello, err := v.peer.accepted(v.received[head : head+payload])
	if err != nil {
		return false, err
	}
	v.received = v.received[head+payload:]
	_, err = fd.Write(hello)
	return true, err
}

// close closes the connections that are still in their handshake.
func (d *dialing) close() {
	for fd := range d.visits {
		_ = unix.Close(int(fd))
	}
	_ = unix.Close(d.epoll)
}
