package supervisor

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// programMessages returns the names of the types with the method fromPrograms, sorted.
func programMessages(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv != nil && f.Name.Name == "fromPrograms" {
				names = append(names, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Every message of the actor API is tested as a nil pointer, as a value and after Stop, and is in the table of the
// documentation: an added one cannot be forgotten.
func TestEveryMessageOfTheActorAPIIsCovered(t *testing.T) {
	names := programMessages(t)
	want := []string{
		"Allow", "Broadcast", "Connect", "Disconnect", "DisconnectConnection", "Peers", "Request", "Revoke", "Send",
		"SetAuthMode", "Status", "Subscribe", "Unsubscribe",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the messages are %q, want %q", names, want)
	}
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tests, page := read("unusable_test.go"), read("../docs/embedding.md")
	for _, name := range names {
		for _, wanted := range []string{"{(*" + name + ")(nil), &", "{" + name + "{}, &", "{&" + name + "{}, &"} {
			if !strings.Contains(tests, wanted) {
				t.Errorf("unusable_test.go has no row %s", wanted)
			}
		}
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/embedding.md does not name %s", name)
		}
	}
}
