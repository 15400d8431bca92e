package blackbox

import (
	"os"
	"path/filepath"
	"testing"
)

// TestConfigShowsTheRunningNode: its settings, and the value that waits for a restart.
func TestConfigShowsTheRunningNode(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "node.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ws-path: /a\n")
	n := start(t, "--config", file, "--max-conns", "7")
	write("ws-path: /b\n")
	var got struct {
		Settings []struct{ Name, Value, Source, Waiting string }
		File     string
	}
	n.json(&got, "config", "--running")
	for _, s := range got.Settings {
		if s.Name == "ws-path" && (s.Value != "/a" || s.Source != "file" || s.Waiting != "/b") ||
			s.Name == "max-conns" && (s.Value != "7" || s.Source != "flag" || s.Waiting != "") {
			t.Errorf("config --running shows %+v", s)
		}
	}
	if got.File != file || len(got.Settings) < 20 {
		t.Errorf("file %q, %d settings", got.File, len(got.Settings))
	}
}
