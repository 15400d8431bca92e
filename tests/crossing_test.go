package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// crossings are the functions by which a frame crosses from actors into the packages below, with the files that call
// them: one file for each of the two formats, and one for messages between members of a cluster.
var crossings = map[string][]string{
	"opener.Open":           {"actors/sessioncodec.go", "actors/smsgcodec.go"},
	"sealer.Seal":           {"actors/sessioncodec.go", "actors/smsgcodec.go"},
	"messages.Next":         {"actors/sessioncodec.go"},
	"wire.AppendMessage":    {"actors/sessioncodec.go", "supervisor/cluster/form.go"},
	"wire.DecodeSealedBody": {"actors/smsgcodec.go"},
	"wire.AppendSealedBody": {"actors/smsgcodec.go"},
}

// TestFramesCrossOnce holds the path of a message: in each format one call into crypto and one into wire in each
// direction.
func TestFramesCrossOnce(t *testing.T) {
	calls := map[string][]string{}
	for _, path := range goFiles(t) {
		if folder(path) != "actors" && folder(path) != "supervisor" && folder(path) != "cmd" ||
			strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range crossingsIn(file) {
			calls[name] = append(calls[name], path)
		}
	}
	for name, want := range crossings {
		if places := calls[name]; !slices.Equal(slices.Sorted(slices.Values(places)), want) {
			t.Errorf("%s is called at %q, want %q", name, places, want)
		}
	}
}

func TestCrossingsAreSeen(t *testing.T) {
	const source = `package p
func f() {
	c.opener.Open(frame)
	opener.Open(frame)
	wire.AppendSealedBody(a, b, c)
	x.y.sealer.Seal(d, e)
	sealer.Close()
	os.Open(name)
	_ = wire.DecodeSealedBody
}`
	file, err := parser.ParseFile(token.NewFileSet(), "a.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"opener.Open", "opener.Open", "wire.AppendSealedBody", "sealer.Seal", "wire.DecodeSealedBody"}
	if got := crossingsIn(file); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// crossingsIn returns the uses of crossings in a file, in order.
func crossingsIn(file *ast.File) (found []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if name := lastName(s.X) + "." + s.Sel.Name; crossings[name] != nil {
				found = append(found, name)
			}
		}
		return true
	})
	return found
}

// lastName returns the name of a variable, a field or a package, "" of anything else.
func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}
