package refpeer

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Server is the listening half of a reference peer, on the path /ws.
type Server struct {
	options  Options
	listener net.Listener
	http     *http.Server
	accepted chan *Conn
	refused  chan error
	wg       sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[*websocket.Conn]*Conn // nil during the handshake
}

// Listen accepts connections on addr (host:port, port 0 for a free one) until Close.
func Listen(addr string, o Options) (*Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return Serve(ln, o), nil
}

// Serve accepts connections on ln until Close, which closes ln.
func Serve(ln net.Listener, o Options) *Server {
	if o.TLS != nil {
		ln = tls.NewListener(ln, o.TLS)
	}
	s := &Server{
		options:  o,
		listener: ln,
		accepted: make(chan *Conn, 1024),
		refused:  make(chan error, 1024),
		conns:    make(map[*websocket.Conn]*Conn),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", s.serve)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: handshakeTimeout}
	s.wg.Go(func() { s.http.Serve(ln) })
	return s
}

// Addr returns the bound host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Accept returns the next connection that finished its handshake.
func (s *Server) Accept(ctx context.Context) (*Conn, error) {
	select {
	case c := <-s.accepted:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Refused returns the error of the next failed handshake.
func (s *Server) Refused(ctx context.Context) error {
	select {
	case err := <-s.refused:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes the listener and all connections, and waits for their goroutines.
func (s *Server) Close() {
	s.http.Close()
	s.mu.Lock()
	s.closed = true
	open := s.conns
	s.conns = nil
	s.mu.Unlock()
	for ws, conn := range open {
		if conn == nil {
			ws.Close()
			continue
		}
		conn.Close()
	}
	s.wg.Wait()
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has sent the error
	}
	ws.SetReadLimit(maxMessageSize)
	if !s.track(ws, nil) {
		ws.Close()
		return
	}
	conn, err := respond(ws, s.options)
	if err != nil {
		ws.Close()
		s.refused <- err
		return
	}
	if !s.track(ws, conn) {
		conn.Close()
		return
	}
	s.accepted <- conn
}

// track registers a socket for Close. It returns false if the server is already closed.
func (s *Server) track(ws *websocket.Conn, conn *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns[ws] = conn
	}
	return !s.closed
}
