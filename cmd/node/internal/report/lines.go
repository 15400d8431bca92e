package report

import (
	"bytes"
	"sync"
)

// Bounds of Lines.
const (
	maxLines = 2000
	maxBytes = 512 << 10
	maxLine  = 4 << 10 // a longer line is cut
)

// Lines keeps the newest lines of an output: at most 2,000 lines and 512 KiB. Safe for concurrent use.
type Lines struct {
	mu    sync.Mutex
	lines [][]byte // oldest first
	size  int      // bytes
}

// Write adds one line, with its line break. It never fails.
func (l *Lines) Write(line []byte) (int, error) {
	kept := bytes.Clone(line)
	if len(kept) > maxLine {
		kept = append(kept[:maxLine:maxLine], "…\n"...)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, kept)
	for l.size += len(kept); len(l.lines) > maxLines || l.size > maxBytes; l.lines = l.lines[1:] {
		l.size -= len(l.lines[0])
		l.lines[0] = nil
	}
	return len(line), nil
}

// Bytes returns the lines, oldest first.
func (l *Lines) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Join(l.lines, nil)
}
