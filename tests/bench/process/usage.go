package process

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Usage is the CPU time and the memory that a process has used so far.
type Usage struct {
	CPU        float64 // seconds, user and system
	Resident   float64 // bytes
	Heap       float64 // bytes
	Mallocs    float64
	Goroutines float64
}

// Measure returns the usage of this process.
func Measure() (Usage, error) {
	var taken unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &taken); err != nil {
		return Usage{}, err
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return Usage{}, err
	}
	var size, resident int
	if _, err := fmt.Fscan(bytes.NewReader(statm), &size, &resident); err != nil {
		return Usage{}, err
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return Usage{
		CPU:      float64(taken.Utime.Nano()+taken.Stime.Nano()) / 1e9,
		Resident: float64(resident * os.Getpagesize()), Heap: float64(memory.HeapAlloc),
		Mallocs: float64(memory.Mallocs), Goroutines: float64(runtime.NumGoroutine()),
	}, nil
}

// Settle returns unused memory to the operating system, so that the resident memory is the memory in use.
func Settle() {
	runtime.GC()
	debug.FreeOSMemory()
}
