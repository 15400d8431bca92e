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

// Option changes how a Transport is built into its surroundings. The settings of the protocol are in TransportConfig.
type Option func(*options)

// options are what a transport takes from outside.
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

	wrong *ConfigError // of the first option that was given nil
}

// WithActorSystem runs the tree inside an actor system of the program's. Without it the transport makes its own.
// On a 32-bit platform the first NewTransport with a system calls actors.FitRegistry, so that protoactor's process
// registry works there: call it before the system runs actors.
func WithActorSystem(system *actor.ActorSystem) Option {
	return func(o *options) { o.system = system; o.need("WithActorSystem", system) }
}

// WithLogger sends the transport's log to log. Without it nothing is logged. A line is dropped if a method of its
// handler panics or calls runtime.Goexit.
func WithLogger(log *slog.Logger) Option {
	return func(o *options) {
		if o.need("WithLogger", log) {
			o.log = slog.New(foreignLog{log.Handler()})
		}
	}
}

// WithListener accepts on ln rather than on ListenAddr, which only has to be something: a socket that a service
// manager has opened, or an in-memory network in a test. Stop closes it.
func WithListener(ln net.Listener) Option {
	return func(o *options) { o.listener = ln; o.need("WithListener", ln) }
}

// WithDialer opens outbound connections with dial rather than with net.Dialer. The context of dial ends after
// HandshakeTimeout but shows no deadline, since standstill of the process moves it.
func WithDialer(dial socket.DialFunc) Option {
	return func(o *options) { o.dial = dial; o.need("WithDialer", dial) }
}

// WithConnWrapper passes every network connection, accepted or dialled, through wrap: a place for faults. Below TLS.
// A panic or runtime.Goexit in a method of what it returns ends that connection only.
func WithConnWrapper(wrap func(net.Conn) net.Conn) Option {
	return func(o *options) { o.wrap = wrap; o.need("WithConnWrapper", wrap) }
}

// WithClock stamps and judges messages by wall: a place for clocks that differ or jump. Timers and durations do not
// depend on it. It must be safe for concurrent use. If it panics, the clock of the operating system answers in its place.
func WithClock(wall func() time.Time) Option {
	return func(o *options) {
		if o.need("WithClock", wall) {
			o.wall = foreignClock(wall)
		}
	}
}

// WithRunningClock judges the timeouts of peers by clock, which the transport starts and stops: a place for a simulation
// that freezes a node. Without it the transport makes its own.
func WithRunningClock(clock *runclock.Clock) Option {
	return func(o *options) { o.running = clock; o.need("WithRunningClock", clock) }
}

// WithRandom takes challenges, nonces and secrets from random, which must be safe for concurrent use. Anything but
// crypto/rand breaks the encryption: for tests only. A panic of random is an error of the read.
func WithRandom(random io.Reader) Option {
	return func(o *options) {
		if o.need("WithRandom", random) {
			o.rand = foreignRandom{random}
		}
	}
}

// WithObserver tells o how long round trips, handshakes and handlers take: for histograms.
func WithObserver(observer Observer) Option {
	return func(o *options) { o.observer = observer; o.need("WithObserver", observer) }
}

// need reports whether the value of an option is usable, and notes one that is nil: a nil pointer or function included.
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

// wrappedListener passes accepted connections through a wrapper, and judges their deadlines by the running clock.
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
		l.opts.log.Warn("an accepted connection is dropped", "error", err)
	}
}
