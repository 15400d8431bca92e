// Package admin serves the dashboard, metrics and health of a node over HTTP on --admin. It is read-only: commands that
// change a node use the control socket.
//
//	/          the dashboard, one page; its scripts and styles are under /assets/
//	/events    the live data of the dashboard, as server-sent events
//	/tree      the connections of the supervision tree, for the dashboard, as JSON
//	/metrics   for Prometheus
//	/healthz   200 while the process lives
//	/readyz    200 while the node accepts peers, else 503
//	/debug/pprof/  profiles of the process, only with Config.Pprof
package admin

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/cmd/node/internal/oserror"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// Limits for clients. Each connection costs a goroutine, so their number is bounded.
const (
	headerTimeout = 3 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 10 * time.Second
	idleTimeout   = 15 * time.Second
	maxHeader     = 8 << 10
	maxClients    = 112 // connections, event streams excepted
	maxViewers    = 16  // event streams
)

// descriptors is the number of file descriptors held in reserve, so that 2 requests are answered even if the process
// has no other descriptor left.
const descriptors = 2

// streamPath is the path of the event streams.
const streamPath = "/events"

// Node is the node that the server shows. Its methods are safe for concurrent use, also before its start and after its
// stop; methods with a context then fail.
type Node interface {
	Identity() crypto.NodeIdentity
	Accepting() bool
	Counters() map[string]uint64
	Load() supervisor.Load
	KnownPeers() int
	Status(ctx context.Context) (supervisor.Status, error)
	PeerPage(ctx context.Context, q supervisor.PeerQuery) (supervisor.PeerPage, error)
	KeptAddresses(ctx context.Context) ([]supervisor.DialInfo, error)
	Tree(ctx context.Context, limit int) (supervisor.Tree, error)
}

// Config configures a Server.
type Config struct {
	Address string // host:port; port 0 takes a free one; an empty host means all addresses
	Node    Node
	Members Members  // nil: the node is alone
	Timings *Timings // the node's observer; nil: no histograms
	Version string   // of the binary, for people
	Build   Build    // labels of p2p_build_info
	PerPeer bool     // with series of each peer in /metrics
	Pprof   bool     // with profiles at /debug/pprof/
	Log     *slog.Logger
}

// Server serves one address.
type Server struct {
	listener net.Listener
	http     *http.Server
	monitor  *monitor
	streams  *streams
	cancel   context.CancelFunc
	served   chan struct{}
}

// Listen binds c.Address. Clients wait in the socket's queue until Serve.
func Listen(c Config) (*Server, error) {
	listener, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", c.Address, errors.Unwrap(err))
	}
	ctx, cancel := context.WithCancel(context.Background())
	monitor := newMonitor(c.Node, newJournal(), c.Members)
	streams := newStreams(monitor, c.Version)
	mux := http.NewServeMux()
	mux.Handle("/metrics", metricsHandler(c))
	mux.Handle(streamPath, streams)
	mux.Handle(treePath, treeHandler(c.Node))
	mux.HandleFunc("/healthz", healthz)
	mux.Handle("/readyz", readyz(c.Node))
	if c.Pprof {
		addProfiles(mux)
	}
	if err := addPages(mux); err != nil {
		cancel()
		return nil, errors.Join(err, listener.Close())
	}
	samples := actors.NewLimitedLogger(c.Log)
	clients := newClients(accept.Share(maxClients, accept.Descriptors(), 8))
	return &Server{
		listener: accept.New(listener, descriptors, func(f accept.Failure) {
			if f.Ended {
				c.Log.Error("the admin server has ended: no dashboard, no metrics, no health", "error", f.Err)
				return
			}
			samples.Error("the admin server could not accept a client", "error", f.Err, "retryIn", f.Pause)
		}),
		monitor: monitor, streams: streams, cancel: cancel, served: make(chan struct{}),
		http: &http.Server{
			Handler:           clients.track(newGuard(c.Address, mux)),
			ConnState:         clients.onState,
			ConnContext:       withConn,
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ErrorLog:          log.New(sampledLog{samples}, "", 0),
		},
	}, nil
}

// URL returns the URL of the dashboard for a browser on this host.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "127.0.0.1" // browsers cannot open an unspecified address
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Public reports whether other hosts may reach the address.
func (s *Server) Public() bool {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	return !ok || !addr.IP.IsLoopback()
}

// Event adds an event of the transport to the dashboard's log. A nil Server ignores it.
func (s *Server) Event(e supervisor.Event) {
	if s != nil {
		s.monitor.journal.event(e, time.Now())
	}
}

// Serve starts to answer requests, until Close. It does not block.
func (s *Server) Serve() {
	ctx, stop := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.monitor.run(ctx)
	}()
	go func() {
		defer close(s.served)
		_ = s.http.Serve(s.listener) // ErrServerClosed, or the listener has logged the cause
		stop()
		<-watched
	}()
}

// Close sends dashboards a bye, waits for requests under way until ctx ends, and stops the server. Call it after Serve.
func (s *Server) Close(ctx context.Context) error {
	s.streams.close()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.cancel()
	<-s.served
	s.streams.viewers.wait()
	return err
}

// InUse reports whether Listen failed because another socket uses the address.
func InUse(err error) bool { return oserror.InUse(err) }

// sampledLog is the error log of net/http. Clients cause its lines, so they are rate-limited, quoted and cut.
type sampledLog struct{ samples *actors.LimitedLogger }

func (l sampledLog) Write(line []byte) (int, error) {
	l.samples.Warn("admin server", "error", actors.Quote(strings.TrimSpace(string(line))))
	return len(line), nil
}
