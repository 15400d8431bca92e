package control

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// descriptors is the number of file descriptors held in reserve, so that 4 commands are answered even if the process
// has no other descriptor left.
const descriptors = 4

const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 8 << 10
)

// Server answers on the control socket of one data directory.
type Server struct {
	dir      string
	listener net.Listener
	http     *http.Server
	cancel   context.CancelFunc
	served   chan struct{}
}

// Listen binds the control socket of dir. The caller must hold the lock of the peer book in dir. Commands wait in the
// socket's queue until Serve. The members of the group with that number may use the socket, too; settings.NoGroup: only
// the owner.
func Listen(dir string, group int, handler http.Handler, log *slog.Logger) (*Server, error) {
	listener, err := listen(dir)
	if err != nil {
		return nil, err
	}
	if group != settings.NoGroup {
		if err := openToGroup(dir, group); err != nil {
			return nil, errors.Join(err, listener.Close(), os.Remove(SocketPath(dir)))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	samples := actors.NewLimitedLogger(log)
	return &Server{
		dir: dir,
		listener: accept.New(listener, descriptors, func(f accept.Failure) {
			if f.Ended {
				log.Error("the control socket has ended: no command can reach the node", "error", f.Err)
				return
			}
			samples.Error("a command could not be accepted", "error", f.Err, "retryIn", f.Pause)
		}),
		cancel: cancel,
		served: make(chan struct{}),
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       bodyTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// Path returns the path of the socket.
func (s *Server) Path() string { return SocketPath(s.dir) }

// Serve starts to answer commands, until Close. It does not block.
func (s *Server) Serve() {
	go func() {
		defer close(s.served)
		_ = s.http.Serve(s.listener) // ErrServerClosed, or the listener has logged the cause
	}()
}

// Serving reports whether the server has not ended: true until Close, or until the socket fails.
func (s *Server) Serving() bool {
	select {
	case <-s.served:
		return false
	default:
		return true
	}
}

// Close fails the commands under way, lets them read the error until ctx ends, and removes the socket. Call it after
// Serve.
func (s *Server) Close(ctx context.Context) error {
	s.cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	<-s.served
	if err := os.Remove(s.Path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
