//go:build unix

package bench

import (
	"runtime"
	"syscall"
	"time"
)

func usage() used {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return used{}
	}
	resident := uint64(u.Maxrss)
	if runtime.GOOS == "linux" { // in KiB there
		resident <<= 10
	}
	return used{cpu: time.Duration(u.Utime.Nano() + u.Stime.Nano()), resident: resident}
}
