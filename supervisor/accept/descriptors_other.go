//go:build !unix

package accept

// Descriptors returns the maximum number of open file descriptors of the process; 0: unknown.
func Descriptors() int { return 0 }
