package main

import (
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// listenAdvice returns the advice for an error of Transport.Start, or "" if the node could open its listener.
func listenAdvice(err error) string {
	var failed *net.OpError
	var lookup *net.DNSError
	switch {
	case !errors.As(err, &failed) || failed.Op != "listen":
		return ""
	case errors.Is(err, fs.ErrPermission):
		return "choose a port above 1023 with --listen, or run with the right to open this one (CAP_NET_BIND_SERVICE)"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &lookup):
		return "choose an address of this host with --listen, or only a port, such as :9091"
	default:
		return "choose another address with --listen, or stop the program that uses this one"
	}
}
