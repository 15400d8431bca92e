// Package browser looks at the dashboard as people do: with a browser. It is a module of its own, so that what drives
// the browser is no dependency of the node. It needs Chromium from the system's packages and is skipped without.
package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// found is what the tests need, made once.
type found struct {
	node    string // path of the node's binary
	browser string // path of Chromium; empty: there is none
}

var tools found

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if tools.browser, err = exec.LookPath(name); err == nil {
			break
		}
	}
	tools.node = filepath.Join(dir, "node")
	build := exec.Command("go", "build", "-o", tools.node, "./cmd/node")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build ./cmd/node: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// needBrowser skips a test where there is no browser, unless CI says that there must be one.
func needBrowser(t *testing.T) {
	t.Helper()
	if tools.browser == "" {
		t.Skip("SKIPPED: no Chromium is installed, so the dashboard was not looked at; `apt-get install chromium` brings one")
	}
}
