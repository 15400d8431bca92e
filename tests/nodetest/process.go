package nodetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
)

// Patience is the longest wait for one event. Only a test that fails waits so long.
const Patience = 30 * time.Second

// ProcessOptions changes how a node binary is run. The zero value runs the plain binary in a new home.
type ProcessOptions struct {
	Home   string     // stands for $HOME; empty: NewHome
	Data   string     // data directory; empty: "data" in the home
	Race   bool       // with the race detector
	Binary string     // path of a binary that is run instead of Binary(Race)
	Under  []string   // command that executes the node, as "ip netns exec name"
	Env    []string   // further environment variables, "NAME=value"
	Files  []*os.File // open files from descriptor 3 on
	Only   []string   // kinds of events that are recorded; empty: all
	Stdin  string     // for RunCommand
	Stderr *os.File   // standard error of StartProcess; nil: it is recorded
}

// Process is a running `node run`. Its events are recorded. All methods that wait fail the test after Patience.
type Process struct {
	*Events
	Hello Event          // the event "listening"
	Stdin io.WriteCloser // of the process

	t      testing.TB
	home   string
	data   string
	cmd    *exec.Cmd
	stderr *output
	ended  chan struct{} // closed when the process has ended and its output is read
	next   int           // mark of Next
}

// NewHome makes a home directory that is removed after the test. Its path is short, because the path of a Unix socket
// has at most 107 bytes.
func NewHome(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// StartProcess runs a node until the test ends and waits until it listens: on a free loopback port and without admin
// pages, unless args has the flags. After the test it must have printed no panic, no data race and nothing but events.
func StartProcess(t testing.TB, o ProcessOptions, args ...string) *Process {
	t.Helper()
	if o.Home == "" {
		o.Home = NewHome(t)
	}
	if o.Data == "" {
		o.Data = filepath.Join(o.Home, "data")
	}
	cmd, err := o.command(append([]string{"run", "--output", "json", "--data-dir", o.Data}, withDefaults(t, args)...))
	p := &Process{
		Events: newEvents(o.Only), t: t, home: o.Home, data: o.Data,
		cmd: cmd, stderr: newOutput(), ended: make(chan struct{}),
	}
	var stdout io.Reader
	if err == nil {
		if cmd.Stderr = p.stderr; o.Stderr != nil {
			cmd.Stderr = o.Stderr
		}
		stdout, err = cmd.StdoutPipe()
	}
	if err == nil {
		p.Stdin, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go p.follow(stdout)
	t.Cleanup(p.finish)
	p.Hello = p.Await("listening")
	return p
}

// withDefaults adds the flags of a node that are not there. Its port may be used again after a kill.
func withDefaults(t testing.TB, args []string) []string {
	t.Helper()
	if !slices.Contains(args, "--admin") {
		args = append([]string{"--admin", ""}, args...)
	}
	if !slices.Contains(args, "--listen") {
		args = append([]string{"--listen", sockettest.FreeAddress(t)}, args...)
	}
	return args
}

// command prepares the binary with arguments. The environment has nothing of the developer's own settings.
func (o ProcessOptions) command(args []string) (*exec.Cmd, error) {
	binary, err := o.Binary, error(nil)
	if binary == "" {
		if binary, err = Binary(o.Race); err != nil {
			return nil, err
		}
	}
	line := slices.Concat(o.Under, []string{binary}, args)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.ExtraFiles = o.Files
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + o.Home,
		"XDG_DATA_HOME=" + filepath.Join(o.Home, "share"),
		"XDG_CONFIG_HOME=" + filepath.Join(o.Home, "config"),
		"TERM=dumb",
		// Without it, the race detector sleeps for a second at every exit.
		"GORACE=atexit_sleep_ms=0",
	}, o.Env...)
	return cmd, nil
}

// follow reads the events until the process closes its output, then waits for its end.
func (p *Process) follow(stdout io.Reader) {
	p.read(stdout)
	_ = p.cmd.Wait() // Wait reads the exit code from ProcessState
	close(p.ended)
	p.end()
}

// finish kills the process if it still runs and reports a crash, a data race or a line that is no event.
func (p *Process) finish() {
	p.Kill()
	stderr := p.Stderr()
	if where := crash.FindStringIndex(stderr); where != nil {
		p.t.Errorf("node %s crashed or raced:\n%s", p.Name(), Head(stderr[where[0]:]))
	}
	for _, e := range p.All() {
		if e.Fault != nil {
			p.t.Errorf("node %s wrote a line that is no event: %v", p.Name(), e.Fault)
		}
	}
}

// Kill sends signal 9 and waits for the end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Signal sends a signal and does not wait.
func (p *Process) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("signal to %s: %v", p.Name(), err)
	}
}

// Wait waits until the process ends by itself and returns its exit code.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(Patience):
		p.Fatalf("has not ended after %v", Patience)
		return 0
	}
}

// Stop ends the process with SIGTERM and requires exit code 0.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	if code := p.Wait(); code != 0 {
		p.Fatalf("SIGTERM: exit code %d, want 0", code)
	}
}

// WriteLines writes lines to the node's standard input. A node that stops reading is killed after twice Patience.
func (p *Process) WriteLines(lines ...string) {
	p.t.Helper()
	stuck := time.AfterFunc(2*Patience, func() { _ = p.cmd.Process.Kill() })
	defer stuck.Stop()
	if _, err := io.WriteString(p.Stdin, strings.Join(lines, "\n")+"\n"); err != nil {
		p.Fatalf("standard input: %v", err)
	}
}

// ID returns the node ID.
func (p *Process) ID() string { return p.Hello.Str("id") }

// Address returns the listening address, host:port.
func (p *Process) Address() string { return p.Hello.Str("address") }

// URL returns the WebSocket URL of the listening address.
func (p *Process) URL() string { return p.Hello.Str("url") }

// Home returns the directory that stands for $HOME.
func (p *Process) Home() string { return p.home }

// Data returns the data directory.
func (p *Process) Data() string { return p.data }

// PID returns the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name returns the node's name and process ID, for texts.
func (p *Process) Name() string { return fmt.Sprintf("%q (pid %d)", p.Hello.Str("name"), p.PID()) }
