package supervisor

import (
	"io"
	"log/slog"
	"net"
	"reflect"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
)

// Option connects a Transport to its environment. TransportConfig holds the settings of the protocol.
type Option func(*options)

// options holds the values of all Options.
type options struct {
	system   *actor.ActorSystem
	log      *slog.Logger
	listener net.Listener
	dial     socket.DialFunc
	wrap     func(net.Conn) net.Conn
	wall     func() time.Time
	rand     io.Reader
	running  *runclock.Clock
	observer Observer
	faults   *Faults
	cluster  Cluster

	wrong *ConfigError // first option with a nil value
}

// WithActorSystem runs the actors of the transport in system. Without it the transport creates an actor system. On a
// 32-bit platform the first NewTransport with a system calls actors.FixProcessRegistry, so that protoactor's process
// registry works there: call it before the system runs actors. A system of actors.NewSystem needs less memory: 5 MB,
// and 200 bytes for each connection.
func WithActorSystem(system *actor.ActorSystem) Option {
	return func(o *options) { o.system = system; o.need("WithActorSystem", system) }
}

// WithLogger sends the transport's log to log. Without it nothing is logged. The transport never waits for the handler
// of log: 1,024 lines wait for it, and further ones are dropped and counted in logLinesDropped. A line is dropped as
// well if a method of the handler panics or calls runtime.Goexit. Stop waits up to a second for lines that wait.
func WithLogger(log *slog.Logger) Option {
	return func(o *options) {
		if o.need("WithLogger", log) {
			o.log = slog.New(containedLog{log.Handler()})
		}
	}
}

// WithListener accepts on ln instead of ListenAddr, which must not be empty: a socket opened by a service manager, or
// an in-memory network in a test. Stop closes ln.
func WithListener(ln net.Listener) Option {
	return func(o *options) { o.listener = ln; o.need("WithListener", ln) }
}

// WithDialer opens outbound connections with dial instead of net.Dialer. The context of dial ends after
// HandshakeTimeout. It shows no deadline, because a standstill of the process postpones it.
func WithDialer(dial socket.DialFunc) Option {
	return func(o *options) { o.dial = dial; o.need("WithDialer", dial) }
}

// WithConnWrapper passes every network connection, accepted or dialled, to wrap, below TLS. Tests inject faults there.
// A panic or runtime.Goexit in a method of the returned connection ends only that connection.
func WithConnWrapper(wrap func(net.Conn) net.Conn) Option {
	return func(o *options) { o.wrap = wrap; o.need("WithConnWrapper", wrap) }
}

// WithClock uses wall for the timestamps of messages: tests use clocks that differ or jump. Timers and durations do not
// depend on wall. It must be safe for concurrent use. If it panics, the clock of the operating system is used.
func WithClock(wall func() time.Time) Option {
	return func(o *options) {
		if o.need("WithClock", wall) {
			o.wall = containedClock(wall)
		}
	}
}

// WithRunningClock measures timeouts of peers with clock, which the transport starts and stops: a simulation can freeze
// a node. Without it the transport creates a clock.
func WithRunningClock(clock *runclock.Clock) Option {
	return func(o *options) { o.running = clock; o.need("WithRunningClock", clock) }
}

// WithRandom reads challenges, nonces and secrets from random, which must be safe for concurrent use. Any source but
// crypto/rand breaks the encryption, so use it in tests only. A panic of random becomes an error of the read.
func WithRandom(random io.Reader) Option {
	return func(o *options) {
		if o.need("WithRandom", random) {
			o.rand = containedRandom{random}
		}
	}
}

// WithObserver reports the durations of round trips, handshakes and handlers to observer, for histograms.
func WithObserver(observer Observer) Option {
	return func(o *options) { o.observer = observer; o.need("WithObserver", observer) }
}

// WithCluster makes the node a member of cluster: several processes with one identity act as one node. Start joins and
// Stop leaves. A peer that has proven its key is claimed, and served only by the member that is granted the claim.
// Without it the node is alone. A Cluster serves one transport.
func WithCluster(cluster Cluster) Option {
	return func(o *options) { o.cluster = cluster; o.need("WithCluster", cluster) }
}

// need reports whether the value of an option is usable. It records a nil value, nil pointers and functions included.
func (o *options) need(option string, value any) bool {
	if !isNil(value) {
		return true
	}
	if o.wrong == nil {
		o.wrong = &ConfigError{Field: option, Reason: "must not be nil: leave the option out for the default"}
	}
	return false
}

func isNil(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Chan, reflect.Slice, reflect.Interface:
		return v.IsNil()
	default:
		return false
	}
}

// wrappedListener passes accepted connections to the wrapper, and measures their deadlines with the running clock.
type wrappedListener struct {
	net.Listener
	opts  *options
	clock *runclock.Clock
}

// Accept implements net.Listener.
func (l *wrappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		wrapped, err := l.opts.wrapped(conn, nil)
		if err == nil {
			return runclock.Wrap(wrapped, l.clock), nil
		}
		l.opts.log.Warn("an accepted connection was dropped", "error", err)
	}
}
