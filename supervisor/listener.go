package supervisor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// Limits of connections before their upgrade.
const (
	maxHeaderBytes = 16 << 10
	minWaiting     = 1024 // TCP connections without a complete request, all addresses
	minWaitingEach = 16   // of one address group
)

var errUpgrade = errors.New("the upgrade panicked")

// listener accepts WebSockets and passes each to a slot of the registry.
type listener struct {
	live     *atomic.Pointer[TransportConfig] // configuration in force
	cert     *certificate                     // nil: no TLS
	node     *actors.Node
	registry *actor.PID
	ended    <-chan struct{} // closed when the registry has stopped
	net      net.Listener
	server   *http.Server
	served   chan struct{}

	descriptors int // maximum number of open descriptors of the process; 0: unknown

	mu        sync.Mutex
	waiting   *accept.Waiting[net.Conn]    // connections without a complete request, by address group
	deadlines map[net.Conn]upgradeDeadline // of connections before their upgrade
	sweeper   *runclock.Timer              // handles the deadlines; nil until the first
	nextSweep time.Time                    // when the sweeper fires, on the running clock; zero: it is not set
	asking    int                          // complete requests without a response yet
}

// listen starts to accept on ln, with TLS if the configuration names a certificate.
func listen(
	ln net.Listener, live *atomic.Pointer[TransportConfig], node *actors.Node, registry *actor.PID, ended <-chan struct{},
) (*listener, error) {
	cfg := live.Load()
	l := &listener{
		live: live, node: node, registry: registry, ended: ended, net: ln, served: make(chan struct{}),
		waiting: accept.NewWaiting[net.Conn](), deadlines: make(map[net.Conn]upgradeDeadline),
		descriptors: accept.Descriptors(),
	}
	ln = l.proxied(accept.New(ln, 0, l.acceptFailed), cfg)
	l.server = &http.Server{
		Handler:        l, // the server's own timeouts are fixed: see deadlines
		MaxHeaderBytes: maxHeaderBytes,
		ConnState:      l.onState,
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connectedKey{}, connected{conn: conn, at: l.acceptedAt(conn)})
		},
		ErrorLog: log.New(serverLog{node}, "", 0),
	}
	l.server.SetKeepAlivesEnabled(false)
	if cfg.TLSCertPath != "" {
		cert, err := loadCertificate(cfg.TLSCertPath, cfg.TLSKeyPath, node.Log)
		if err != nil {
			return nil, err
		}
		config := baseTLS()
		l.cert, config.GetCertificate = cert, cert.get
		ln = tls.NewListener(ln, config)
	}
	node.Spawn(func() { l.serve(ln) })
	return l, nil
}

// serve runs the HTTP server. If it ends without a call of close, it sends listenerEnded to the registry.
func (l *listener) serve(ln net.Listener) {
	err := errors.New("the accepting goroutine ended") // runtime.Goexit in a listener of the program
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the accepting goroutine panicked: %v", fault)
		}
		close(l.served)
		if !errors.Is(err, http.ErrServerClosed) {
			l.node.Log.Error("listening ended: no peer can connect any more", "address", l.net.Addr(), "error", err)
			l.node.System.Root.Send(l.registry, &listenerEnded{address: l.net.Addr().String(), err: err})
		}
	}()
	err = l.server.Serve(ln)
}

// acceptFailed counts and logs a failed accept call.
func (l *listener) acceptFailed(f accept.Failure) {
	l.node.Counters.Inc(actors.AcceptErrors)
	if !f.Ended {
		l.node.LimitedLog.Error("a connection could not be accepted", "error", f.Err, "retryIn", f.Pause)
	}
}

// close closes the listener and every connection that is not upgraded.
func (l *listener) close() {
	_ = l.server.Close() // an error of closing a listener has no consequence
	<-l.served
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sweeper != nil {
		l.sweeper.Stop()
	}
}

// onState keeps the number of connections before their upgrade within the limits.
func (l *listener) onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if victim := l.addPending(conn); victim != nil {
			l.node.Counters.Inc(actors.ConnectionsRefused)
			l.node.LimitedLog.Warn("the oldest connection without an upgrade was closed: too many wait",
				"remote", victim.RemoteAddr().String())
			abort(victim)
		}
	case http.StateHijacked, http.StateClosed:
		l.forget(conn)
	}
}

// forget removes a connection that is upgraded or closed from the watched ones.
func (l *listener) forget(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Remove(conn)
	delete(l.deadlines, conn)
}

// addPending adds conn to the connections before their upgrade. If a limit is exceeded, it removes and returns the
// oldest connection of the address group, or of all groups, but never conn itself. Otherwise it returns nil. If conn is
// not upgraded within HandshakeTimeout from its accept on, it is closed without an answer.
func (l *listener) addPending(conn net.Conn) net.Conn {
	group := addressGroup(conn.RemoteAddr().String())
	cfg := l.live.Load()
	each, total := waitingLimits(cfg, l.descriptors)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Add(conn, group)
	l.startDeadline(conn)
	victim, _ := l.waiting.Evict(group, each, max(1, total-l.asking))
	return victim
}

// beginRequest moves a connection from the waiting ones to the complete requests. It returns false if there are too
// many requests. The caller must call endRequest in either case.
func (l *listener) beginRequest(conn net.Conn) bool {
	_, total := waitingLimits(l.live.Load(), l.descriptors)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Remove(conn)
	l.asking++
	return l.asking <= total
}

// endRequest follows beginRequest when the request is answered or upgraded.
func (l *listener) endRequest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking--
}

// waitingLimits returns the maximum number of connections before their upgrade: per address group (negative: no limit)
// and in total. The total is at most a quarter of the descriptors that the process may have open.
func waitingLimits(cfg *TransportConfig, descriptors int) (each, total int) {
	each, total = max(minWaitingEach, cfg.MaxConns/4), accept.Share(max(minWaiting, 4*cfg.MaxConns), descriptors, 4)
	if cfg.MaxConnsPerAddress < 0 {
		each = -1
	}
	return each, total
}

// abort closes a connection without a TLS close alert, which may block on the peer.
func abort(conn net.Conn) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	_ = conn.Close() // the peer notices, or has left already
}

// ServeHTTP upgrades one request. The checks run in this order: slot, Origin, upgrade (protocol section 6). It returns
// as soon as the actor has the socket.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer l.endRequest()
	if !l.beginRequest(connectionOf(r).conn) {
		l.node.Counters.Inc(actors.ConnectionsRefused)
		http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Path != l.live.Load().WSPath {
		http.NotFound(w, r)
		return
	}
	if status, text := upgradeFault(r); status != 0 {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, text, status)
		return
	}
	slot := l.admit(r)
	if slot == nil {
		http.Error(w, "no free connection", http.StatusServiceUnavailable)
		return
	}
	if !allowedOrigin(r.Header.Values("Origin")) {
		l.node.Counters.Inc(actors.OriginsRefused)
		l.node.LimitedLog.Warn("origin refused", "remote", r.RemoteAddr, "origin", actors.Quote(r.Header.Get("Origin")))
		slot.Fail(errors.New("origin refused"))
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	l.upgrade(w, r, slot)
}

// upgrade fills the slot with the upgraded socket. If the upgrade fails, it frees the slot at once, also if a
// connection of the program panics or calls runtime.Goexit.
func (l *listener) upgrade(w http.ResponseWriter, r *http.Request, slot *actors.Slot) {
	err, returned := errUpgrade, false
	defer func() {
		if !returned {
			abort(connectionOf(r).conn) // net/http does not close a hijacked connection
		}
		if err != nil {
			slot.Fail(err)
		}
	}()
	limits := l.live.Load().limits()
	opts := limits.Socket()
	opts.Running = l.node.Running
	var conn *socket.Conn
	conn, err = socket.Accept(w, r, opts)
	if returned = true; err == nil {
		slot.Attach(conn)
	}
}

// connectedKey is the context key of a request's connected value.
type connectedKey struct{}

// connected is the network connection of a request and the time of its accept call, on the running clock.
type connected struct {
	conn net.Conn
	at   time.Time
}

func connectionOf(r *http.Request) connected {
	c, _ := r.Context().Value(connectedKey{}).(connected)
	return c
}

// admit asks the registry for a slot. It returns nil if the registry refuses the connection or does not answer within
// HandshakeTimeout after the accept.
func (l *listener) admit(r *http.Request) *actors.Slot {
	answers := make(chan *actors.Slot, 2) // the registry's answer, and nil at the deadline
	if !l.awaitUntilDeadline(connectionOf(r).conn, answers) {
		return nil
	}
	l.node.System.Root.Send(l.registry, &question{
		message: &admission{remote: r.RemoteAddr, since: connectionOf(r).at},
		reply: func(answer any) {
			slot, _ := answer.(*actors.Slot) // nil after a panic
			answers <- slot
		},
	})
	select {
	case slot := <-answers:
		return slot
	case <-l.ended:
		return nil
	}
}
