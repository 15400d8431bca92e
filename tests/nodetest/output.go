package nodetest

import (
	"bytes"
	"regexp"
	"sync"
)

// shownBytes is the length of a process's output that a failure shows.
const shownBytes = 8 << 10

// crash finds the lines that no process under test may print.
var crash = regexp.MustCompile(`(?m)^(WARNING: DATA RACE|panic: |fatal error: )`)

// Head returns the first 8 KiB of a process's output, for the text of a failure.
func Head(s string) string { return s[:min(len(s), shownBytes)] }

// Tail returns the last 8 KiB of a process's output, for the text of a failure.
func Tail(s string) string { return s[max(0, len(s)-shownBytes):] }

// output collects the bytes that a process writes to standard error. Safe for concurrent use.
type output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{} // closed and replaced with every write
}

func newOutput() *output { return &output{more: make(chan struct{})} }

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.buf.Write(p)
}

// read returns all bytes so far, and a channel that the next write closes.
func (o *output) read() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String(), o.more
}
