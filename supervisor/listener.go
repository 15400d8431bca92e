package supervisor

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// Limits of what a stranger may hold before its upgrade.
const (
	maxHeaderBytes = 16 << 10
	minWaiting     = 1024 // TCP connections without a finished request, of all addresses together
	minWaitingEach = 64   // of one address
)

// listener accepts WebSockets and hands each to a place that the registry gave it.
type listener struct {
	live     *atomic.Pointer[TransportConfig] // in force
	cert     *certificate                     // nil: no TLS
	node     *actors.Node
	registry *actor.PID
	ended    <-chan struct{} // closed when the registry has stopped
	net      net.Listener
	server   *http.Server
	served   chan struct{}

	mu      sync.Mutex
	waiting map[net.Conn]string // connections before their upgrade, with their address group
	groups  map[string]int
}

// listen starts to accept on ln, under TLS when the configuration has a certificate.
func listen(ln net.Listener, live *atomic.Pointer[TransportConfig], node *actors.Node, registry *actor.PID, ended <-chan struct{}) (*listener, error) {
	cfg := live.Load()
	l := &listener{
		live: live, node: node, registry: registry, ended: ended, net: ln, served: make(chan struct{}),
		waiting: make(map[net.Conn]string), groups: make(map[string]int),
	}
	l.server = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: cfg.HandshakeTimeout,
		ReadTimeout:       cfg.HandshakeTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         l.onState,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connectedKey{}, node.Running.Now())
		},
		ErrorLog: log.New(io.Discard, "", 0), // strangers would fill it
	}
	l.server.SetKeepAlivesEnabled(false)
	if cfg.TLSCertFile != "" {
		cert, err := loadCertificate(cfg.TLSCertFile, cfg.TLSKeyFile, node.Log)
		if err != nil {
			return nil, err
		}
		config := baseTLS()
		l.cert, config.GetCertificate = cert, cert.get
		ln = tls.NewListener(ln, config)
	}
	node.Spawn(func() {
		defer close(l.served)
		if err := l.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			node.Log.Error("listening ended", "error", err)
		}
	})
	return l, nil
}

// close ends the listening and every connection that was not upgraded.
func (l *listener) close() {
	_ = l.server.Close() // it reports what closing a listener can: nothing of use
	<-l.served
}

// onState counts the connections that have not been upgraded and closes those beyond the limits at once.
func (l *listener) onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !l.enter(conn) {
			conn.Close()
		}
	case http.StateHijacked, http.StateClosed:
		l.exit(conn)
	}
}

func (l *listener) enter(conn net.Conn) bool {
	group := addressGroup(conn.RemoteAddr().String())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[conn] = group
	l.groups[group]++
	cfg := l.live.Load()
	most := max(minWaiting, 4*cfg.MaxConns)
	each := max(minWaitingEach, 2*cfg.MaxConnsPerAddress)
	return len(l.waiting) <= most && (group == "" || cfg.MaxConnsPerAddress < 0 || l.groups[group] <= each)
}

func (l *listener) exit(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	group, known := l.waiting[conn]
	if !known {
		return
	}
	delete(l.waiting, conn)
	if l.groups[group]--; l.groups[group] == 0 {
		delete(l.groups, group)
	}
}

// ServeHTTP upgrades one request: first a place, then the Origin, then the upgrade (protocol section 6). It returns
// as soon as the socket is handed over.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != l.live.Load().WSPath {
		http.NotFound(w, r)
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this address speaks WebSocket only", http.StatusUpgradeRequired)
		return
	}
	slot := l.admit(r)
	if slot == nil {
		http.Error(w, "no free connection", http.StatusServiceUnavailable)
		return
	}
	if !allowedOrigin(r.Header.Values("Origin")) {
		l.node.Counters.Inc(actors.OriginsRefused)
		l.node.Samples.Warn("origin refused", "remote", r.RemoteAddr, "origin", actors.Quote(r.Header.Get("Origin")))
		slot.Fail(errors.New("origin refused"))
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	limits := l.live.Load().limits()
	opts := limits.Socket()
	opts.Running = l.node.Running
	socket, err := actors.AcceptSocket(w, r, opts)
	if err != nil {
		slot.Fail(err)
		return
	}
	slot.Attach(socket)
}

// connectedKey is the key of the TCP connection's time, on the running clock, in a request's context.
type connectedKey struct{}

func connectedAt(r *http.Request) time.Time {
	at, _ := r.Context().Value(connectedKey{}).(time.Time)
	return at
}

// admit asks the registry for a place: the one question inside the tree that is waited for.
func (l *listener) admit(r *http.Request) *actors.Slot {
	answer := make(chan *actors.Slot, 1)
	l.node.System.Root.Send(l.registry, &admission{remote: r.RemoteAddr, since: connectedAt(r), answer: answer})
	within, cancel := l.node.Running.WithTimeout(context.Background(), l.live.Load().HandshakeTimeout)
	defer cancel()
	select {
	case slot := <-answer:
		return slot
	case <-l.ended:
	case <-within.Done():
	}
	return nil
}
