package supervisor

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"

	"github.com/Snider/go-p2p/actors"
)

// guard runs code of the program that makes a network connection, on a goroutine of its own, so that neither a panic nor
// runtime.Goexit reaches the caller. what names the code in the error.
func (s *surroundings) guard(what string, run func() (net.Conn, error)) (conn net.Conn, err error) {
	err = fmt.Errorf("the %s called runtime.Goexit", what)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("the %s panicked: %s", what, actors.Quote(fmt.Sprint(fault)))
				s.log.Error("code of the program panicked", "code", what, "panic", fault, "stack", string(debug.Stack()))
			}
		}()
		conn, err = run()
	}()
	<-done
	if err == nil && conn == nil {
		err = fmt.Errorf("the %s returned no connection", what)
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// connect opens an outbound network connection with the program's dialler and wrapper.
func (s *surroundings) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if s.dial == nil {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return s.wrapped(conn, err)
	}
	return s.wrapped(s.guard("dialler", func() (net.Conn, error) { return s.dial(ctx, network, address) }))
}

// wrapped passes a network connection through the program's wrapper, and closes it if that fails.
func (s *surroundings) wrapped(conn net.Conn, err error) (net.Conn, error) {
	if err != nil || s.wrap == nil {
		return conn, err
	}
	wrapped, err := s.guard("connection wrapper", func() (net.Conn, error) { return s.wrap(conn), nil })
	if err != nil {
		_ = conn.Close()
	}
	return wrapped, err
}
