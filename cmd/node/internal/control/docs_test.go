package control

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docs/api.md lists every route of the handler, and every error code with its HTTP status.
func TestRoutesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("handler.go")
	if err != nil {
		t.Fatal(err)
	}
	routes := regexp.MustCompile(`HandleFunc\("([A-Z]+ /v1/\w+)"`).FindAllSubmatch(source, -1)
	if len(routes) < 15 {
		t.Fatalf("only %d routes found", len(routes))
	}
	for _, route := range routes {
		if !strings.Contains(string(page), "`"+string(route[1])+"`") {
			t.Errorf("%s is missing", route[1])
		}
	}
	for _, code := range []Code{
		CodeUsage, CodeUnknownPeer, CodeAmbiguous, CodeNotConnected, CodeRefused, CodeTimeout, CodeTooLarge, CodeConflict,
		CodeQueueFull, CodeRemote, CodeFailed,
	} {
		row := regexp.MustCompile("(?m)^\\| [^|]*`" + string(code) + "`[^|]* \\| (\\d+) \\|").FindSubmatch(page)
		if row == nil || string(row[1]) != strconv.Itoa((&Error{Code: code}).status()) {
			t.Errorf("%s: row %q", code, row)
		}
	}
}
