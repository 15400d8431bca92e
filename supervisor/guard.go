package supervisor

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"

	"github.com/Snider/go-p2p/actors"
)

// guard runs a function of the program that returns a network connection. It runs on its own goroutine, so that neither
// a panic nor runtime.Goexit reaches the caller. what names the function in the error.
func (o *options) guard(what string, run func() (net.Conn, error)) (conn net.Conn, err error) {
	err = fmt.Errorf("the %s called runtime.Goexit", what)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("the %s panicked: %s", what, actors.Quote(fmt.Sprint(fault)))
				o.log.Error("code of the program panicked", "code", what, "panic", fault, "stack", string(debug.Stack()))
			}
		}()
		conn, err = run()
	}()
	<-done
	if err == nil && isNil(conn) {
		err = fmt.Errorf("the %s returned no connection", what)
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// connect opens an outbound network connection with the program's dialler and wrapper.
func (o *options) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if o.dial == nil {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return o.wrapped(conn, err)
	}
	return o.wrapped(o.guard("dialler", func() (net.Conn, error) { return o.dial(ctx, network, address) }))
}

// wrapped passes a network connection to the program's wrapper, and closes it if the wrapper fails. It contains the
// faults of connections that are not of package net.
func (o *options) wrapped(conn net.Conn, err error) (net.Conn, error) {
	if err != nil || o.wrap == nil && isOfNet(conn) {
		return conn, err
	}
	what := "connection wrapper"
	if o.wrap == nil {
		what = "network connection"
	}
	wrapped, err := o.guard(what, func() (net.Conn, error) {
		if o.wrap == nil {
			return containConn(conn, nil), nil
		}
		if made := o.wrap(conn); !isNil(made) {
			return containConn(made, conn), nil
		}
		return nil, nil
	})
	if err != nil {
		_ = (&containedConn{Conn: conn}).Close()
	}
	return wrapped, err
}
