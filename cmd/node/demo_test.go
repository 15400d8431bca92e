package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// With --keep the mesh runs until a signal, and then stops like any node.
func TestDemoKeepRunsUntilASignal(t *testing.T) {
	out, in := io.Pipe()
	signals := make(chan os.Signal, 1)
	a := &app{
		stdin: strings.NewReader(""), stdout: in, stderr: io.Discard, now: time.Now, dataDir: t.TempDir(), hostName: "host",
		signals: func() (<-chan os.Signal, func()) { return signals, func() {} },
	}
	status := make(chan int, 1)
	go func() {
		status <- a.run([]string{"demo", "--keep"})
		in.Close()
	}()
	var text bytes.Buffer
	for line := make([]byte, 4096); ; {
		n, err := out.Read(line)
		text.Write(line[:n])
		if bytes.Contains(line[:n], []byte("The mesh goes on")) {
			signals <- syscall.SIGINT
		}
		if err != nil {
			break
		}
	}
	got := <-status
	if got != 0 || !strings.Contains(text.String(), "steps succeeded") || strings.Contains(text.String(), "\x1b") {
		t.Errorf("status %d, %s", got, text.String())
	}
}

func TestInterruptedDemoFails(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signals <- syscall.SIGINT
	var complaint bytes.Buffer
	a := &app{
		stdin: strings.NewReader(""), stdout: io.Discard, stderr: &complaint, now: time.Now,
		dataDir: t.TempDir(), hostName: "host",
		signals: func() (<-chan os.Signal, func()) { return signals, func() {} },
	}
	if status := a.run([]string{"demo"}); status != exitFailed || complaint.String() != "node: interrupted\n" {
		t.Errorf("status %d, %q", status, complaint.String())
	}
}
