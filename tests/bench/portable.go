package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// keystreamPackage is the package whose assembly the portable build omits.
const keystreamPackage = "github.com/Snider/go-p2p/crypto/internal/keystream"

// buildPortable builds this program with the key stream in plain Go and everything else unchanged, and returns its path
// in folder. It replaces files with an overlay instead of setting the tag purego, because that tag would also remove
// the assembly of the standard library and x/crypto.
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
			replace[file] = "" // an empty path removes the file
		}
	}
	plain := filepath.Join(source, "keystream_other.go")
	text, err := os.ReadFile(plain)
	if err != nil {
		return "", err
	}
	_, code, found := strings.Cut(string(text), "\n") // the first line is the build constraint
	if !found || len(replace) == 0 {
		return "", fmt.Errorf("%s: unexpected files, no assembly to replace", source)
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
