package control

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/api.md lists each operation with its keys and parameters, and each error code with its HTTP status.
func TestOperationsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, o := range new(Handler).Operations() {
		if !strings.Contains(page, "`"+o.Method+" "+o.Path+"`") {
			t.Errorf("%s %s is missing", o.Method, o.Path)
		}
		for _, p := range o.Parameters {
			if !strings.Contains(page, "`"+p.Name+"`") && !strings.Contains(page, "`"+p.Name+"=") {
				t.Errorf("%s %s: parameter %s is missing", o.Method, o.Path, p.Name)
			}
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d+) \\|").FindAllStringSubmatch(page, -1)
	codes := make([]Code, 0, len(rows))
	for _, row := range rows {
		code := Code(row[1])
		codes = append(codes, code)
		if row[2] != strconv.Itoa(code.Status()) {
			t.Errorf("%s: status %s, want %d", code, row[2], code.Status())
		}
	}
	if want := Codes(); !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
}

// Codes lists every constant of the type Code.
func TestCodesAreComplete(t *testing.T) {
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	for _, constant := range found {
		if !slices.Contains(Codes(), Code(constant[1])) {
			t.Errorf("%s is missing", constant[1])
		}
	}
	if len(found) != len(Codes()) {
		t.Errorf("%d constants, %d codes", len(found), len(Codes()))
	}
}
