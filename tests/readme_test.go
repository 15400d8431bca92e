package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tableFolders are the short names of folders in README.md. Any other name is a path from the root of the module.
var tableFolders = map[string]string{
	"tests": ".", "blackbox": "blackbox", "simulation": "simulation", "toxiproxy": "toxiproxy", "": "hostile",
	"admin": "../cmd/node/internal/admin", "top": "../cmd/node/internal/top", "control": "../cmd/node/internal/control",
	"crypto/smsg": "../crypto/smsg", "keystream": "../crypto/internal/keystream",
	"jsonstring":  "../wire/internal/jsonstring",
	"plainprefix": "../wire/internal/plainprefix", "prefetch": "../supervisor/internal/prefetch",
}

var (
	tableFolder = regexp.MustCompile("^`([a-z0-9/]+)`$")
	tableWord   = regexp.MustCompile("`[a-z0-9/]+`|\\b(?:Test|Fuzz)[A-Z]\\w*…?|;")
	definition  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// TestThreatTableNamesExistingTests requires that each test in the second column of the threat table exists in the
// folder that is named before it.
func TestThreatTableNamesExistingTests(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## The threat table")
	checked := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 {
			continue
		}
		folder := ""
		for _, word := range tableWord.FindAllString(cells[1], -1) {
			if word == ";" {
				folder = ""
				continue
			}
			if m := tableFolder.FindStringSubmatch(word); m != nil {
				folder = m[1]
				continue
			}
			checked++
			dir, short := tableFolders[folder]
			if !short {
				dir = filepath.Join("..", folder)
			}
			if !defined(t, dir, word) {
				t.Errorf("%s is no test of %q", word, folder)
			}
		}
	}
	if checked < 300 {
		t.Errorf("%d names were found: the check sees too little", checked)
	}
}

// defined reports whether a folder's tests define a name; one that ends in an ellipsis is the beginning of names.
func defined(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	beginning, open := strings.CutSuffix(name, "…")
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range definition.FindAllStringSubmatch(string(source), -1) {
			if found[1] == name || open && strings.HasPrefix(found[1], beginning) {
				return true
			}
		}
	}
	return false
}
