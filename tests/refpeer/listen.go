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
	conns  map[*websocket.Conn]*Conn // value nil while in the handshake
}

// Listen accepts connections on addr (host:port, port 0 for a free one) until Close.
func Listen(addr string, o Options) (*Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return Serve(ln, o), nil
}

// Serve is Listen on a listener of the caller's, which Close closes.
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

// Addr is the bound host:port.
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

// Refused returns the error of the next handshake that did not succeed.
func (s *Server) Refused(ctx context.Context) error {
	select {
	case err := <-s.refused:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the listener and every connection, and waits for their goroutines.
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
		return // Upgrade has answered
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

// track notes a socket for Close; false when the server is closed already.
func (s *Server) track(ws *websocket.Conn, conn *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.conns[ws] = conn
	}
	return !s.closed
}
