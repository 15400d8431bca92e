// Package browser tests the dashboard with a browser. It is a module of its own, so that the library that drives the
// browser is no dependency of the node. It needs Chromium from the system's packages and is skipped without it.
package browser

import (
	"os"
	"os/exec"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// browserPath is the path of Chromium, empty if there is none.
var browserPath string

func TestMain(m *testing.M) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		var err error
		if browserPath, err = exec.LookPath(name); err == nil {
			break
		}
	}
	os.Exit(nodetest.Main(m))
}

// needBrowser skips a test if there is no browser.
func needBrowser(t *testing.T) {
	t.Helper()
	if browserPath == "" {
		t.Skip("SKIPPED: no Chromium is installed, so the dashboard was not looked at; `apt-get install chromium` brings one")
	}
}
