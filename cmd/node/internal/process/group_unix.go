//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// group starts the command in a process group of its own, and has it killed with all of its children.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd) }
}

// killGroup kills the remaining processes of the command's group. The error is os.ErrProcessDone if there are none.
func killGroup(cmd *exec.Cmd) error {
	if cmd.Process == nil {
		return os.ErrProcessDone // it did not start
	}
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
