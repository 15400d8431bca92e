package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildBefore builds this program at an earlier commit and returns its path in folder. The calls between the processes
// must be those of today, which they are since commit 1f26a82.
func buildBefore(folder, commit string) (path string, err error) {
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	archive, source := filepath.Join(folder, "before.tar"), filepath.Join(folder, "before-source")
	path = filepath.Join(folder, "before")
	return path, errors.Join(
		command(strings.TrimSpace(string(top)), "git", "archive", "--output", archive, commit),
		os.Mkdir(source, 0o700),
		command(source, "tar", "-xf", archive),
		command(filepath.Join(source, "tests", "bench"), "go", "build", "-o", path, "."))
}

// command runs a command in a folder.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	return cmd.Run()
}
