//go:build !windows

package oserror

import "syscall"

const (
	connectionRefused = syscall.ECONNREFUSED
	connectionReset   = syscall.ECONNRESET
	addressInUse      = syscall.EADDRINUSE
)
