package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// resultWriter is where results and help are written. It remembers what went wrong, since hardly anybody who writes a
// line for people looks, and writes nothing after that: half a result with a hole in it is worse than half of one.
type resultWriter struct {
	w       io.Writer
	failure error
}

func (r *resultWriter) Write(p []byte) (n int, err error) {
	if r.failure == nil {
		n, r.failure = r.w.Write(p)
	}
	return n, r.failure
}

// judge returns what a command that ended in err comes to, when its result could not be written: that, unless it
// failed for another reason.
func (r *resultWriter) judge(err error) error {
	if r.failure == nil || err != nil && !errors.Is(err, r.failure) {
		return err
	}
	reason := r.failure
	var about *fs.PathError // calls it /dev/stdout, wherever it leads
	if errors.As(reason, &about) {
		reason = about.Err
	}
	return fmt.Errorf("write the result to standard output: %w: make room there or send it elsewhere", reason)
}

// helpWriter keeps a failure from the library, which would print it on a line of its own.
type helpWriter struct{ to *resultWriter }

func (h helpWriter) Write(p []byte) (int, error) {
	_, _ = h.to.Write(p) // judge has it
	return len(p), nil
}
