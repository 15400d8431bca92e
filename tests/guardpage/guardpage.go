//go:build linux

// Package guardpage provides tests with memory between two inaccessible pages. A read or write one byte before or
// behind such a buffer faults. In assembly, neither Go's bounds checks nor the race detector notice such an access.
package guardpage

import (
	"fmt"
	"iter"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// Memory is writable memory with an inaccessible page on either side. It is not safe for concurrent use.
type Memory struct {
	usable []byte
}

// New maps at least size bytes and unmaps them at the end of the test.
func New(t testing.TB, size int) *Memory {
	t.Helper()
	page := syscall.Getpagesize()
	pages := (size + page - 1) / page
	const access, flags = syscall.PROT_READ | syscall.PROT_WRITE, syscall.MAP_ANON | syscall.MAP_PRIVATE
	all, err := syscall.Mmap(-1, 0, (pages+2)*page, access, flags)
	if err != nil {
		t.Fatalf("map memory: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Errorf("unmap memory: %v", err)
		}
	})
	end := len(all) - page
	for _, guard := range [][]byte{all[:page], all[end:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatalf("protect a page: %v", err)
		}
	}
	return &Memory{usable: all[page:end:end]}
}

// First returns the first n bytes; the byte before them is inaccessible. It panics if n exceeds the mapped size.
func (m *Memory) First(n int) []byte { return m.usable[:n:n] }

// Last returns the last n bytes; the byte behind them is inaccessible. For n = 0 that byte is the address of the slice.
// It panics if n exceeds the mapped size.
func (m *Memory) Last(n int) []byte {
	_ = m.usable[:n] // panics if n exceeds the size
	end := unsafe.Add(unsafe.Pointer(unsafe.SliceData(m.usable)), len(m.usable))
	return unsafe.Slice((*byte)(unsafe.Add(end, -n)), n)
}

// Ends yields First(n) and Last(n), each with its name. The two may overlap: use one at a time.
func (m *Memory) Ends(n int) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		_ = yield("first", m.First(n)) && yield("last", m.Last(n))
	}
}

// Fault runs do and returns its memory fault or panic as an error, or nil.
func Fault(do func()) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			err = fmt.Errorf("fault: %v", r)
		}
	}()
	do()
	return nil
}
