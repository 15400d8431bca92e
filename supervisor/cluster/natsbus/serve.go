package natsbus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/accept"
)

const (
	routePing       = 2 * time.Second
	routeMisses     = 2   // unanswered pings that end a route
	routeRetries    = 120 // attempts to reach a member that another one has named, one a second; see routes
	routeTLSTimeout = 5   // seconds, for a handshake
	readyWithin     = 5 * time.Second
	joinWithin      = 1500 * time.Millisecond
	minPayload      = 1 << 20 // bytes of a message, at least
	maxClients      = 256     // of this host, waiting for their token included; one is that of the process
)

// EmbeddedOptions are the parameters of Serve. NodeID, Key, Listen and Log are required.
type EmbeddedOptions struct {
	NodeID  string       // of the identity that the members share
	Key     KeyFunc      // derives keys from the identity key
	Secrets [][]byte     // mixed into the keys; the first one signs, all are accepted
	Listen  string       // host:port for the other members; port 0 is a random one
	Public  bool         // Listen may be a public or wildcard address
	Join    []string     // host:port of other members; all addresses of a name are tried, again and again
	MaxBody int          // largest body in bytes, up to 1 GiB; 0: 1 MiB
	Log     *slog.Logger // gets at most one line a minute of each kind
	Lookup  lookupFunc   // nil: of net.DefaultResolver
}

// embedded is the NATS server in this process.
type embedded struct {
	server *server.Server
	gate   *gate
	routes *routes
	done   chan struct{} // closed when Start has returned
}

// Serve starts a NATS server in this process, and returns a bus over it, which is connected within the process. The
// server listens for other members at Listen, and at a random port of 127.0.0.1 that needs a random token: without this
// one it would open no routes. Serve waits 1.5 seconds at most for the members of Join. Errors: ErrPublic, and those of
// the listener.
func Serve(o EmbeddedOptions) (*Bus, error) {
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupHost
	}
	address, err := listenAddress(o.Listen, o.Public, o.Lookup)
	if err != nil {
		return nil, err
	}
	seeds, err := derive(o.Key, labelCA, o.Secrets)
	if err != nil {
		return nil, err
	}
	secured, err := tlsConfig(seeds)
	if err != nil {
		return nil, err
	}
	log := actors.NewLimitedLoggerEvery(o.Log, logEvery)
	g, err := newGate(address, accept.Descriptors(), log)
	if err != nil {
		return nil, err
	}
	e, token, err := start(o, g, secured, log)
	if err != nil {
		g.close()
		return nil, err
	}
	b, err := connect(nats.Options{
		Url: e.server.ClientURL(), InProcessServer: e.server, Token: token, ReconnectWait: retryWait,
	}, o.NodeID, nil, log)
	if err == nil {
		b.server = e
		err = e.routes.open(b, o.NodeID)
	}
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("connect to the NATS server of this process: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinWithin)
	defer cancel()
	e.routes.await(ctx)
	return b, nil
}

// start starts the server without routes, and then opens the gate.
func start(
	o EmbeddedOptions, g *gate, secured *tls.Config, log *actors.LimitedLogger,
) (e *embedded, token string, err error) {
	address, port := g.address(), server.RANDOM_PORT
	name, err := derive(o.Key, labelName, nil)
	if err != nil {
		return nil, "", err
	}
	random := make([]byte, 40)
	if _, err := rand.Read(random); err != nil {
		return nil, "", err
	}
	token = hex.EncodeToString(random[:32])
	payload := max(o.MaxBody, minPayload)
	options := func(routes []*url.URL) *server.Options { // the same for each call, but for the routes
		return &server.Options{
			ServerName: serverName(address, random[32:]), Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: token,
			NoSigs: true, NoSystemAccount: true, MaxConn: maxClients,
			MaxPayload: int32(payload), MaxPending: max(int64(payload)*2, maxWaitingBytes),
			NoFastProducerStall: true, // one slow member must not delay messages to the others
			Routes:              routes,
			Cluster: server.ClusterOpts{
				Name: hex.EncodeToString(name[0][:8]), Host: "127.0.0.1", Port: port, Advertise: advertised(address),
				TLSConfig: secured, TLSTimeout: routeTLSTimeout, NoAdvertise: true, PoolSize: 1, ConnectRetries: routeRetries,
				PingInterval: routePing, MaxPingsOut: routeMisses,
				Compression: server.CompressionOpts{Mode: server.CompressionOff},
			},
		}
	}
	s, err := server.NewServer(options(nil))
	if err != nil {
		return nil, "", err
	}
	lines := &serverLog{
		limited: log, debug: actors.NewLimitedLogger(o.Log), origin: g.origin, fatal: make(chan error, 1),
	}
	s.SetLoggerV2(lines, false, false, false)
	e = &embedded{
		server: s, gate: g, routes: newRoutes(s, options, o, g), done: make(chan struct{}),
	}
	go func() {
		defer close(e.done)
		s.Start()
	}()
	if s.ReadyForConnections(readyWithin) {
		port = s.ClusterAddr().Port
		g.open(s.ClusterAddr().String(), e.routes.ports)
		return e, token, nil
	}
	e.stop()
	select {
	case err = <-lines.fatal:
	default:
		err = errors.New("the NATS server did not start")
	}
	return nil, "", err
}

// stop closes all connections of the server and waits for its goroutines.
func (e *embedded) stop() {
	e.routes.close()
	e.gate.close()
	e.server.Shutdown()
	e.server.WaitForShutdown()
	<-e.done
}
