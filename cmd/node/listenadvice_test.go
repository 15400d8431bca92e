package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestListenAdviceFitsTheError(t *testing.T) {
	failed := func(err error) error { return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", err)} }
	for want, err := range map[string]error{
		"choose a port above 1023":            failed(syscall.EACCES),
		"choose an address of this host":      failed(syscall.EADDRNOTAVAIL),
		"choose an address of this":           &net.OpError{Op: "listen", Err: &net.DNSError{Err: "no such host", Name: "x"}},
		"stop the program that uses this one": failed(syscall.EADDRINUSE),
	} {
		if advice := listenAdvice(fmt.Errorf("listen: %w", err)); !strings.Contains(advice, want) {
			t.Errorf("%v: advice %q, want %q in it", err, advice, want)
		}
	}
	if advice := listenAdvice(&net.OpError{Op: "dial", Err: syscall.EACCES}); advice != "" {
		t.Errorf("a failed dial: advice %q, want none", advice)
	}
}
