package tests

import (
	"os/exec"
	"strings"
	"testing"
)

// The binary holds no code that is for tests only, over any path of imports.
func TestNodeBinaryHoldsNoTestCode(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../cmd/node").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, name := range packages {
		inner, own := strings.CutPrefix(name, module+"/")
		if own && (folder(inner) == "p2ptest" || folder(inner) == "tests") || name == "testing/synctest" {
			t.Errorf("cmd/node contains %s", name)
		}
	}
	if len(packages) < 100 {
		t.Errorf("go list names %d packages only", len(packages))
	}
}
