package tests

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// identityOption is an option of a documented command that makes a private key below the working directory.
var identityOption = regexp.MustCompile(`--(?:data-dir|identity) ([a-z0-9.]+)`)

// TestDocumentedIdentitiesAreIgnored requires that git ignores each data directory and identity that the commands of a
// first try leave in a clone: they hold private keys.
func TestDocumentedIdentitiesAreIgnored(t *testing.T) {
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range []string{"../README.md", "../docs/cluster.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "./node ") {
				continue
			}
			for _, m := range identityOption.FindAllStringSubmatch(line, -1) {
				found++
				if !strings.Contains(string(ignored), "\n/"+m[1]) {
					t.Errorf("%s: git does not ignore %s", page, m[1])
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("%d names were found: the check sees too little", found)
	}
}
