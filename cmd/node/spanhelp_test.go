package main

import (
	"strings"
	"testing"
)

// TestHelpShowsNoDefaultThatIsRefused: a duration of 0 is wrong usage, so it is no default.
func TestHelpShowsNoDefaultThatIsRefused(t *testing.T) {
	for _, name := range []string{"disconnect", "forget", "watch"} {
		_, out, _ := command(t.TempDir(), name, "--help")
		if !strings.Contains(out, "duration") || strings.Contains(out, "default 0s") {
			t.Errorf("the help of %s: %s", name, out)
		}
	}
}
