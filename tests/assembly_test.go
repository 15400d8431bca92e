package tests

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAssemblyIsGuarded requires of each folder with assembly that the build tag purego leaves it out and that its
// tests run it between unmapped pages.
func TestAssemblyIsGuarded(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".s") {
			return err
		}
		seen++
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Contains(source, []byte("\n//go:build !purego\n")) &&
			!bytes.HasPrefix(source, []byte("//go:build !purego\n")) {
			t.Errorf("%s has no line //go:build !purego", path)
		}
		test := filepath.Join(filepath.Dir(path), "guard_test.go")
		if source, err := os.ReadFile(test); err != nil || !bytes.Contains(source, []byte("guardpage.Fault(")) {
			t.Errorf("%s: %s does not run it between unmapped pages (%v)", path, test, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no assembly found: the check saw nothing")
	}
}
