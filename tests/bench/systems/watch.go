package systems

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// watch reads many connections on one goroutine, with one system call for all bytes that a connection has received: the
// far end of a measurement shall use little CPU time. Go's own poller would wake a goroutine per connection, and read
// once more to find no bytes.
type watch struct {
	epoll int
	came  func(messages int)

	mu       sync.Mutex
	counters map[int32]*frameCounter // by file descriptor
	closed   bool
}

func newWatch(came func(int)) (*watch, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch connections: %w", err)
	}
	w := &watch{epoll: epoll, came: came, counters: make(map[int32]*frameCounter)}
	go w.run()
	return w, nil
}

// descriptor is a connection that a watch reads.
type descriptor int

// Write implements io.Writer. It blocks until all bytes are written.
func (d descriptor) Write(data []byte) (int, error) {
	written := 0
	for written < len(data) {
		n, err := unix.Write(int(d), data[written:])
		if err != nil && err != unix.EINTR {
			return written, err
		}
		written += max(n, 0)
	}
	return written, nil
}

// add starts to watch a connection. early holds the bytes that were already read from it.
func (w *watch) add(conn descriptor, counter *frameCounter, early []byte) error {
	if err := unix.SetNonblock(int(conn), false); err != nil {
		return err
	}
	if came := counter.take(early); came > 0 {
		w.came(came)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counters[int32(conn)] = counter
	return unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, int(conn), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(conn)})
}

func (w *watch) run() {
	events, buffer := make([]unix.EpollEvent, 256), make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err == unix.EINTR {
			continue
		}
		w.mu.Lock()
		if err != nil || w.closed {
			w.mu.Unlock()
			return
		}
		came := 0
		for _, event := range events[:n] {
			came += w.read(event.Fd, buffer)
		}
		w.mu.Unlock()
		if came > 0 {
			w.came(came)
		}
	}
}

// read reads the received bytes of a connection and drops the connection at its end.
func (w *watch) read(fd int32, buffer []byte) (came int) {
	n, err := unix.Read(int(fd), buffer)
	if err == unix.EINTR || err == unix.EAGAIN {
		return 0
	}
	if err != nil || n == 0 {
		delete(w.counters, fd)
		_ = unix.Close(int(fd))
		return 0
	}
	return w.counters[fd].take(buffer[:n])
}

// close resets every connection, so that no port stays in TIME_WAIT.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for fd := range w.counters {
		_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		_ = unix.Close(int(fd))
	}
	w.counters = nil
	_ = unix.Close(w.epoll)
}
