package oserror

import "golang.org/x/sys/windows"

const (
	connectionRefused = windows.WSAECONNREFUSED
	connectionReset   = windows.WSAECONNRESET
	addressInUse      = windows.WSAEADDRINUSE
)
