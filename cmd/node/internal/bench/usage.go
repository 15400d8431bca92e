package bench

import (
	"runtime/metrics"
	"time"
)

// used is the processor time and memory of this process.
type used struct {
	cpu      time.Duration
	resident uint64 // peak in bytes; 0 where the system does not report it
}

// heap returns the bytes of live objects and of garbage that is not collected yet.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
