//go:build !unix

package process

import (
	"os"
	"os/exec"
)

// group does nothing: without process groups, only the command itself is killed.
func group(*exec.Cmd) {}

// killGroup does nothing.
func killGroup(*exec.Cmd) error { return os.ErrProcessDone }
