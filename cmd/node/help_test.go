package main

import (
	"strings"
	"testing"
)

// The help of each command, hidden ones included, ends with two or three command lines, whose flags exist.
func TestHelpEndsWithExamples(t *testing.T) {
	root := (&app{program: "go-p2p-node"}).root()
	for _, cmd := range root.Commands() {
		status, help, _ := command(t.TempDir(), cmd.Name(), "--help")
		_, last, found := strings.Cut(help, "\n\nExamples:\n")
		lines := strings.Split(strings.TrimSuffix(last, "\n"), "\n")
		if status != 0 || !found || len(lines) < 2 || len(lines) > 3 {
			t.Errorf("node %s --help ends with %q", cmd.Name(), last)
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, "  node "+cmd.Name()) {
				t.Errorf("node %s: example %q", cmd.Name(), line)
			}
			own := strings.Split(cmd.Example, "\n")[i]
			if !strings.HasPrefix(own, "  go-p2p-node "+cmd.Name()) {
				t.Errorf("go-p2p-node %s: example %q", cmd.Name(), own)
			}
			line, _, _ = strings.Cut(line, " -- ")
			for _, word := range strings.Fields(line) {
				name, isFlag := strings.CutPrefix(word, "--")
				if isFlag && cmd.Flag(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("node %s has no flag --%s", cmd.Name(), name)
				}
			}
		}
	}
}

// The help lists every command in a group, and nothing under a heading of the library.
func TestHelpGroupsTheCommands(t *testing.T) {
	_, help, _ := command(t.TempDir(), "--help")
	if strings.Contains(help, "Additional") || strings.Contains(help, "Available") {
		t.Errorf("some commands have no group:\n%s", help)
	}
	at := 0
	for _, line := range []string{
		"The node:", "  report ", "  run ", "Peers:", "  peers ", "Messages and events:", "  watch ", "Admission:",
		"  allow ", "Tools:", "  demo ", "  help ", "Flags:", "Examples:",
	} {
		next := strings.Index(help[at:], "\n"+line)
		if next < 0 {
			t.Fatalf("%q is missing or in another place:\n%s", line, help)
		}
		at += next
	}
}
