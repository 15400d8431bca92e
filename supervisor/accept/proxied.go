package accept

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// maxProxyHeader is the maximum size of a PROXY header in bytes, and of the data read together with it.
const maxProxyHeader = 4096

// errNoHeader means that a connection of a trusted proxy did not start with a PROXY header.
var errNoHeader = errors.New("no PROXY header")

// ProxyConfig configures the connections of trusted proxies.
type ProxyConfig struct {
	Trusted []netip.Prefix
	// Limits is called for each connection. It returns the maximum time from the accept to the end of the header, and the
	// maximum number of connections that wait for their header. One more evicts the oldest.
	Limits  func() (timeout time.Duration, most int)
	Now     func() time.Time // the time of an accept, see AcceptedAt; nil: time.Now
	Refused func(remote net.Addr, err error)
}

// Proxied is a listener that reads a PROXY protocol header, version 1 or 2, from each connection of a trusted proxy,
// and replaces the address of the connection by the one in the header. It passes on all other connections unread and
// unchanged.
type Proxied struct {
	net.Listener
	cfg      ProxyConfig
	accepted chan net.Conn
	closing  chan struct{}
	running  sync.WaitGroup
	begin    func()
	close    func() error

	ended chan struct{} // closed after err is written
	err   error

	mu      sync.Mutex
	waiting *Waiting[net.Conn] // connections without a complete header
}

// NewProxied wraps ln. Close stops its goroutines.
func NewProxied(ln net.Listener, cfg ProxyConfig) *Proxied {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Proxied{
		Listener: ln, cfg: cfg, accepted: make(chan net.Conn), closing: make(chan struct{}), ended: make(chan struct{}),
		waiting: NewWaiting[net.Conn](),
	}
	p.begin = sync.OnceFunc(func() { p.running.Go(p.run) })
	p.close = sync.OnceValue(p.shutdown)
	return p
}

// Accept implements net.Listener.
func (p *Proxied) Accept() (net.Conn, error) {
	p.begin()
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.ended:
		return nil, p.err
	case <-p.closing:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It closes the connections that wait for their header.
func (p *Proxied) Close() error { return p.close() }

func (p *Proxied) shutdown() error {
	close(p.closing)
	err := p.Listener.Close()
	p.mu.Lock()
	for conn := range p.waiting.find {
		_ = conn.Close() // the goroutine that reads it reports the error
	}
	p.mu.Unlock()
	p.begin() // ends run if run never started
	p.running.Wait()
	return err
}

// run accepts connections until the inner listener fails or closes.
func (p *Proxied) run() {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			p.err = err
			close(p.ended)
			return
		}
		if !p.trusted(conn.RemoteAddr()) {
			p.hand(conn)
			continue
		}
		timeout, most := p.cfg.Limits()
		at := p.cfg.Now()
		p.enter(conn, most)
		p.running.Go(func() { p.read(conn, at, timeout) })
	}
}

// trusted reports whether addr belongs to a trusted proxy.
func (p *Proxied) trusted(addr net.Addr) bool {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return false
	}
	from := at.Addr().Unmap().WithZone("")
	for _, prefix := range p.cfg.Trusted {
		if prefix.Contains(from) {
			return true
		}
	}
	return false
}

// enter adds a connection to those that wait for their header. If there are more than most, it closes the oldest.
func (p *Proxied) enter(conn net.Conn, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.Add(conn, "")
	if victim, evicted := p.waiting.Evict("", -1, max(1, most)); evicted {
		_ = victim.Close() // the goroutine that reads it reports the error
	}
	select {
	case <-p.closing:
		_ = conn.Close() // shutdown may have run before conn was added
	default:
	}
}

// read reads the header of one connection and passes the connection to Accept.
func (p *Proxied) read(conn net.Conn, at time.Time, timeout time.Duration) {
	with, err := readProxyHeader(conn, timeout)
	p.mu.Lock()
	p.waiting.Remove(conn)
	p.mu.Unlock()
	if err != nil {
		_ = conn.Close() // the proxy notices
		p.cfg.Refused(conn.RemoteAddr(), err)
		return
	}
	with.at = at
	p.hand(with)
}

func (p *Proxied) hand(conn net.Conn) {
	select {
	case p.accepted <- conn:
	case <-p.closing:
		_ = conn.Close() // no Accept call follows
	}
}

// readProxyHeader reads the header at the start of conn, and returns conn with the address in the header. The address
// is conn's own if the header has none (LOCAL, UNKNOWN).
func readProxyHeader(conn net.Conn, timeout time.Duration) (*proxiedConn, error) {
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(io.LimitReader(conn, maxProxyHeader), maxProxyHeader)
	header, err := proxyproto.Read(reader)
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		return nil, errNoHeader
	case err != nil:
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	remote := conn.RemoteAddr()
	if source, _, ok := header.TCPAddrs(); ok && !header.Command.IsLocal() {
		remote = source
	}
	early, err := reader.Peek(reader.Buffered())
	return &proxiedConn{Conn: conn, remote: remote, early: early}, err
}

// proxiedConn is a connection through a proxy.
type proxiedConn struct {
	net.Conn
	remote net.Addr
	at     time.Time // of the accept
	early  []byte    // read together with the header; owned by the reader
}

// AcceptedAt returns the time of the accept by the clock of ProxyConfig. Reading the header may have taken long since.
func (c *proxiedConn) AcceptedAt() time.Time { return c.at }

// RemoteAddr returns the address in the header.
func (c *proxiedConn) RemoteAddr() net.Addr { return c.remote }

// Read implements net.Conn.
func (c *proxiedConn) Read(b []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.early)
	if c.early = c.early[n:]; len(c.early) == 0 {
		c.early = nil
	}
	return n, nil
}

// CloseWrite closes the sending half of the connection, if the connection supports it.
func (c *proxiedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
