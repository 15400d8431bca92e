package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

// resultWriter writes results and help. It keeps the first error, because callers that print text do not check for one,
// and writes nothing afterwards.
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

// errReaderGone is the error of a command whose reader has closed standard output, as in `node peers | head -1`. The
// command prints no line for it: the reader needs no more output.
var errReaderGone = errors.New("standard output is a closed pipe")

// outcome returns the error of a command: the write error if the result could not be written, unless the command failed
// for another reason.
func (r *resultWriter) outcome(err error) error {
	if r.failure == nil || err != nil && !errors.Is(err, r.failure) {
		return err
	}
	reason := r.failure
	if errors.Is(reason, syscall.EPIPE) {
		return errReaderGone
	}
	var about *fs.PathError // its path is always /dev/stdout
	if errors.As(reason, &about) {
		reason = about.Err
	}
	return fmt.Errorf("write the result to standard output: %w: make room there or send it elsewhere", reason)
}

// helpWriter hides write errors from the library, which would print them in its own form.
type helpWriter struct{ to *resultWriter }

func (h helpWriter) Write(p []byte) (int, error) {
	_, _ = h.to.Write(p) // to keeps the error
	return len(p), nil
}
