package bench

import (
	"syscall"
	"time"
)

const filetimeUnit = 100 * time.Nanosecond

// usage reports no memory, because package syscall lacks the system call.
func usage() used {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return used{}
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return used{}
	}
	return used{cpu: elapsed(kernel) + elapsed(user)}
}

// elapsed converts a duration that the system stores in the form of a time stamp.
func elapsed(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * filetimeUnit
}
