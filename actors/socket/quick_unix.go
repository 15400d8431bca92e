//go:build unix && (!linux || race)

package socket

import "syscall"

func quickRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

func quickWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
