package bench

import (
	"runtime"
	"runtime/metrics"
	"syscall"
	"time"
)

// used is what this process has used of the machine.
type used struct {
	cpu      time.Duration
	resident uint64 // bytes at most
}

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

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
