package clusterlab

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// cpuTime returns the CPU time, user and system, that a process has used so far; 0 after its end.
func cpuTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	stat = stat[bytes.LastIndexByte(stat, ')')+1:] // the name of the program may contain spaces
	var state string
	var skipped, user, system int
	in := []any{&state}
	for range 10 {
		in = append(in, &skipped)
	}
	if _, err := fmt.Fscan(bytes.NewReader(stat), append(in, &user, &system)...); err != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond // clock ticks of 1/100 s
}
