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
type Option func(*surroundings)

// surroundings are what a transport takes from outside.
type surroundings struct {
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
	return func(s *surroundings) { s.system = system; s.need("WithActorSystem", system) }
}

// WithLogger sends the transport's log to log. Without it nothing is logged. A line whose handler panics or calls
// runtime.Goexit is dropped.
func WithLogger(log *slog.Logger) Option {
	return func(s *surroundings) {
		if s.need("WithLogger", log) {
			s.log = slog.New(foreignLog{log.Handler()})
		}
	}
}

// WithListener accepts on ln rather than on ListenAddr, which only has to be something: a socket that a service
// manager has opened, or an in-memory network in a test. Stop closes it.
func WithListener(ln net.Listener) Option {
	return func(s *surroundings) { s.listener = ln; s.need("WithListener", ln) }
}

// WithDialer opens outbound connections with dial rather than with net.Dialer. The context of dial ends after
// HandshakeTimeout but shows no deadline, since standstill of the process moves it.
func WithDialer(dial socket.DialFunc) Option {
	return func(s *surroundings) { s.dial = dial; s.need("WithDialer", dial) }
}

// WithConnWrapper passes every network connection, accepted or dialled, through wrap: a place for faults. Below TLS.
// A panic or runtime.Goexit in a method of what it returns ends that connection only.
func WithConnWrapper(wrap func(net.Conn) net.Conn) Option {
	return func(s *surroundings) { s.wrap = wrap; s.need("WithConnWrapper", wrap) }
}

// WithClock stamps and judges messages by wall: a place for clocks that differ or jump. Timers and durations do not
// depend on it. It must be safe for concurrent use. If it panics, the clock of the operating system answers in its place.
func WithClock(wall func() time.Time) Option {
	return func(s *surroundings) {
		if s.need("WithClock", wall) {
			s.wall = foreignClock(wall)
		}
	}
}

// WithRunningClock judges the timeouts of peers by clock, which the transport starts and stops: a place for a simulation
// that freezes a node. Without it the transport makes its own.
func WithRunningClock(clock *runclock.Clock) Option {
	return func(s *surroundings) { s.running = clock; s.need("WithRunningClock", clock) }
}

// WithRandom takes challenges, nonces and secrets from random, which must be safe for concurrent use. Anything but
// crypto/rand breaks the encryption: for tests only. A panic of random is an error of the read.
func WithRandom(random io.Reader) Option {
	return func(s *surroundings) {
		if s.need("WithRandom", random) {
			s.rand = foreignRandom{random}
		}
	}
}

// WithObserver tells o how long round trips, handshakes and handlers take: for histograms.
func WithObserver(o Observer) Option {
	return func(s *surroundings) { s.observer = o; s.need("WithObserver", o) }
}

// need reports whether the value of an option is usable, and notes one that is nil: a nil pointer or function included.
func (s *surroundings) need(option string, value any) bool {
	if !isNil(value) {
		return true
	}
	if s.wrong == nil {
		s.wrong = &ConfigError{Field: option, Reason: "must not be nil: leave the option out for the default"}
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
	from  *surroundings
	clock *runclock.Clock
}

// Accept implements net.Listener.
func (l *wrappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		wrapped, err := l.from.wrapped(conn, nil)
		if err == nil {
			return runclock.Wrap(wrapped, l.clock), nil
		}
		l.from.log.Warn("an accepted connection is dropped", "error", err)
	}
}
