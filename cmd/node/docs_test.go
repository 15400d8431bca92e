package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const documentation = "../../docs/node.md"

// section returns the text between a heading of the documentation and the next heading of its level.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", documentation, heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// The table of settings lists exactly the flags of `node run`, with their variables.
func TestSettingsAreDocumented(t *testing.T) {
	documented := make(map[string]bool)
	for line := range strings.SplitSeq(section(t, "Settings"), "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 {
			continue
		}
		flags := regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(cells[0], -1)
		for _, flag := range flags {
			documented[flag[1]] = true
			variable := "`NODE_" + strings.ToUpper(strings.ReplaceAll(flag[1], "-", "_"))
			if !strings.Contains(cells[1], variable) && flag[1] != "stdin" {
				t.Errorf("--%s: no %s… in %s", flag[1], variable, cells[1])
			}
		}
	}
	taken := make(map[string]bool)
	run, _, err := (&app{}).root().Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	run.InheritedFlags() // merges the flags of the root command
	run.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			taken[f.Name] = true
		}
	})
	if !maps.Equal(documented, taken) {
		t.Errorf("documented: %v,\nflags:      %v", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(taken)))
	}
}

// The documentation lists every command and its flags.
func TestCommandsAreDocumented(t *testing.T) {
	text := section(t, "Commands")
	for _, cmd := range (&app{}).root().Commands() {
		if cmd.Hidden {
			continue
		}
		if !strings.Contains(text, "`node "+cmd.Name()) {
			t.Errorf("node %s is missing", cmd.Name())
		}
		if !takesSettings(cmd) {
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
				if f.Name != "help" && !strings.Contains(text, "`--"+f.Name) {
					t.Errorf("node %s --%s is missing", cmd.Name(), f.Name)
				}
			})
		}
	}
}

// takesSettings reports whether a command takes the flags of the table of settings.
func takesSettings(cmd *cobra.Command) bool { return cmd.Flags().Lookup("name") != nil }
