//go:build !linux

package clusterlab

import "time"

// cpuTime returns 0: it is read on Linux only.
func cpuTime(int) time.Duration { return 0 }
