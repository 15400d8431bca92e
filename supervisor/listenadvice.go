package supervisor

import (
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// listenAdvice returns advice for an error of net.Listen.
func listenAdvice(err error) string {
	var lookup *net.DNSError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "choose a port above 1023, or run with the right to open this one (CAP_NET_BIND_SERVICE)"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &lookup):
		return "choose an address of this host, or only a port, such as :9091"
	default:
		return "choose another address, or stop what uses this one"
	}
}
