package main

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk fails every write, like /dev/full.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// A result that cannot be written is a failure, in both formats, even if the command succeeded.
func TestUnwritableResultFails(t *testing.T) {
	node := startNode(t, "alice")
	defer node.stop()
	run := func(args ...string) (status int, complaint string) {
		var complaints bytes.Buffer
		a := &app{
			stdin: strings.NewReader(""), stdout: fullDisk{}, stderr: &complaints, now: time.Now,
			dataDir: node.dir, hostName: "host",
			signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
		}
		status = a.run(args)
		return status, complaints.String()
	}
	const want = "node: write the result to standard output: no space left on device: " +
		"make room there or send it elsewhere\n"
	for _, line := range []string{
		"id", "status", "peers", "auth", "config", "config --example", "broadcast x", "reload", "",
		"--help", "send --help", "help run", "--version", "completion bash", "completion zsh",
		"id --output json", "status --output json", "broadcast x --output json",
	} {
		if status, complaint := run(strings.Fields(line)...); status != exitFailed || complaint != want {
			t.Errorf("node %s: status %d, %q", line, status, complaint)
		}
	}
	// A command that failed for another reason reports that reason.
	status, complaint := run("send", "stranger", "x")
	if status != exitNotConnected || strings.Contains(complaint, "no space") {
		t.Errorf("send to an unknown peer: status %d, %q", status, complaint)
	}
}
