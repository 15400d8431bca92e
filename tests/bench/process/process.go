// Package process runs each end of a benchmark in its own process: the same binary, which answers calls on its standard
// input and output, one line of JSON per call and per answer.
package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Role is the environment variable that makes the binary a worker.
const Role = "BENCH_WORKER"

// callTimeout limits one call.
const callTimeout = 2 * time.Minute

// Process is a worker process. It runs one call at a time.
type Process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

type request struct {
	Call string          `json:"call"`
	Args json.RawMessage `json:"args"`
}

type response struct {
	Err    string          `json:"err,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Start starts a worker from the binary at path. core is the only processor that it may use; negative: all.
func Start(path string, core int) (*Process, error) {
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), Role+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(cmd, core); err != nil {
		return nil, err
	}
	return &Process{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<20)}, nil
}

// startOn starts a command on one processor. A child inherits the affinity of the thread that starts it.
func startOn(cmd *exec.Cmd, core int) error {
	if core < 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.SchedSetaffinity(0, &all))
}

// Call makes the worker run a call and decodes its result into result, which may be nil.
func (p *Process) Call(call string, args, result any) error {
	if err := p.Begin(call, args); err != nil {
		return err
	}
	return p.Finish(result)
}

// Begin is the first half of Call: it sends the call and does not wait for the result.
func (p *Process) Begin(call string, args any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	return json.NewEncoder(p.in).Encode(request{Call: call, Args: raw})
}

// Finish is the second half of Call: it waits for the result.
func (p *Process) Finish(result any) error {
	timer := time.AfterFunc(callTimeout, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the worker died or took more than %v: %w", callTimeout, err)
	}
	var got response
	if err := json.Unmarshal(line, &got); err != nil {
		return err
	}
	if got.Err != "" {
		return errors.New(got.Err)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(got.Result, result)
}

// Stop ends the worker and with it its connections.
func (p *Process) Stop() {
	_ = p.in.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // its exit code has no meaning
}

// Serve runs a worker: it answers calls with handle until its input ends.
func Serve(handle func(call string, args json.RawMessage) (any, error)) {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var call request
		if in.Decode(&call) != nil {
			return
		}
		var answer response
		result, err := handle(call.Call, call.Args)
		if err == nil {
			answer.Result, err = json.Marshal(result)
		}
		if err != nil {
			answer.Err = call.Call + ": " + err.Error()
		}
		if out.Encode(answer) != nil {
			return
		}
	}
}

// RaiseFileLimit raises the limit of open files of this process and its children to the system's maximum.
func RaiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}
