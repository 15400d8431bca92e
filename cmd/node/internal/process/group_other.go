//go:build !unix

package process

import "os/exec"

// group does nothing: without process groups, only the command itself is killed.
func group(*exec.Cmd) {}
