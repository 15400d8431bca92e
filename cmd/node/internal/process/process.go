// Package process runs the commands of `node handle`: one process for each message, with its children.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
	"unicode/utf8"
)

// pipeDelay limits the wait for children that keep the output open after the command has ended.
const pipeDelay = 500 * time.Millisecond

// maxReason is the number of bytes of standard error that an error quotes.
const maxReason = 200

// ErrTimeout means that the command was killed because its context ended.
var ErrTimeout = errors.New("timed out")

// ErrOutput means that the command wrote more than the limit.
var ErrOutput = errors.New("too much output")

// Command is one command to run.
type Command struct {
	Args      []string // program and arguments
	Env       []string // complete environment
	Stdin     []byte
	Stderr    io.Writer // gets the standard error
	MaxOutput int       // bytes
}

// Run runs the command to its end and returns its standard output. When ctx ends or the output exceeds its limit, it
// kills the command. It kills the children that are left at the end of the command. The error is ErrTimeout,
// ErrOutput, or the exit status with the last line of standard error.
func (c *Command) Run(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	out, last := &limited{most: c.MaxOutput, exceeded: cancel}, &lastLine{}
	cmd.Env, cmd.Stdin, cmd.Stdout = c.Env, bytes.NewReader(c.Stdin), out
	cmd.Stderr = io.MultiWriter(c.Stderr, last)
	cmd.WaitDelay = pipeDelay
	group(cmd)
	err := cmd.Run()
	_ = killGroup(cmd) // a child that is left would run on, one more for each message
	var exit *exec.ExitError
	switch {
	case out.over:
		return nil, ErrOutput
	case ctx.Err() != nil && err != nil:
		return nil, ErrTimeout
	case errors.As(err, &exit):
		return nil, errors.New(exit.ProcessState.String() + last.text())
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // a child that keeps the output open is no failure
		return nil, fmt.Errorf("the command cannot run: %w", err)
	}
	return out.kept.Bytes(), nil
}

// limited is a buffer that stops the command above a size.
type limited struct {
	kept     bytes.Buffer // not embedded: its ReadFrom has no limit
	most     int
	over     bool
	exceeded func()
}

func (l *limited) Write(p []byte) (int, error) {
	if l.kept.Len()+len(p) > l.most {
		l.over = true
		l.exceeded()
		return 0, ErrOutput
	}
	return l.kept.Write(p)
}

// lastLine keeps the end of a text.
type lastLine struct{ tail []byte }

func (l *lastLine) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p[max(0, len(p)-2*maxReason):]...)
	l.tail = l.tail[max(0, len(l.tail)-2*maxReason):]
	return len(p), nil
}

// text returns the last line that is not empty, behind a colon, or "".
func (l *lastLine) text() string {
	lines := strings.Split(strings.TrimSpace(string(l.tail)), "\n")
	line := strings.ToValidUTF8(strings.TrimSpace(lines[len(lines)-1]), "�")
	if line == "" {
		return ""
	}
	if len(line) > maxReason {
		line = line[:maxReason]
		for !utf8.ValidString(line) {
			line = line[:len(line)-1]
		}
	}
	return ": " + line
}
