package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// keystreamPackage has the assembly that the portable build does without.
const keystreamPackage = "github.com/Snider/go-p2p/crypto/internal/keystream"

// buildPortable builds this program into a folder with the key stream in plain Go, and all else as it is. The tag
// purego does more than that: the standard library and x/crypto go without their assembly too, which no user's machine
// does; so the files are exchanged here rather than the tag set.
func buildPortable(folder string) (path string, err error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", keystreamPackage).Output()
	if err != nil {
		return "", fmt.Errorf("find the key stream's package: %w", err)
	}
	source := strings.TrimSpace(string(out))
	replace := map[string]string{}
	for _, pattern := range []string{"*_amd64.go", "*_amd64.s"} {
		files, err := filepath.Glob(filepath.Join(source, pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			replace[file] = "" // as if it were not there
		}
	}
	plain := filepath.Join(source, "keystream_other.go")
	text, err := os.ReadFile(plain)
	if err != nil {
		return "", err
	}
	_, code, found := strings.Cut(string(text), "\n") // the first line is the build constraint
	if !found || len(replace) == 0 {
		return "", fmt.Errorf("%s is not laid out as it was: nothing to exchange", source)
	}
	replace[plain] = filepath.Join(folder, "keystream_other.go")
	if err := os.WriteFile(replace[plain], []byte(code), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	path = filepath.Join(folder, "portable")
	build := exec.Command("go", "build", "-overlay", list, "-o", path, "github.com/Snider/go-p2p/tests/bench")
	build.Stderr = os.Stderr
	return path, build.Run()
}
