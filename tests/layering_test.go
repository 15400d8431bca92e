// Package tests holds the tests that need several packages: in its folders the reference peer and the black-box tests
// of the binary, here the check that packages import only the packages that the architecture allows.
package tests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/Snider/go-p2p"

// layers are the folders from the bottom up. An import may only go from a later row to an earlier one, so that wire
// and crypto, in one row, know nothing of each other.
// Of the last row none knows another: p2ptest, which needs package testing, stays out of programs.
var layers = [][]string{{"wire", "crypto"}, {"actors"}, {"supervisor"}, {"cmd", "examples", "p2ptest"}}

// lower are the packages inside a folder that know nothing of another one there.
var lower = []struct{ folder, notOf, why string }{
	{"crypto", "crypto/smsg", "crypto holds keys; crypto/smsg uses them"},
	{"crypto", "crypto/session", "crypto holds keys; crypto/session uses them"},
	{"crypto/smsg", "crypto/session", "each frame format stands alone"},
	{"crypto/session", "crypto/smsg", "each frame format stands alone"},
}

// byteOnly are the folders that handle bytes and no JSON, tests aside.
var byteOnly = []string{"crypto/smsg", "crypto/session", "crypto/internal"}

// confined are the packages that only some folders, and folders in these, may import outside of their tests; without
// folders, no package may.
var confined = []struct {
	prefix  string
	folders []string
	why     string
}{
	{
		"github.com/asynkron/protoactor-go",
		[]string{"actors", "supervisor", "examples", "p2ptest"},
		"the actor library ends at the supervisor",
	},
	{
		"github.com/coder/websocket",
		[]string{"actors", "supervisor"},
		"sockets belong to the connections and to the packages that open them",
	},
	{"github.com/gorilla/websocket", nil, "the reference peer's library, kept apart from ours"},
	{"github.com/cloudflare/circl", nil, "the reference peer's library, kept apart from ours"},
	{"github.com/Snider/Borg/pkg/smsg", nil, "Borg's decoder must never see bytes from a peer"},
	{"github.com/nats-io", []string{"supervisor/cluster/natsbus"}, "NATS is one bus of several"},
	{module + "/supervisor/cluster/natsbus", []string{"cmd/node"}, "only the program chooses the bus of a cluster"},
	{module + "/supervisor/cluster/membus", nil, "the bus in memory is for tests"},
	{"testing", []string{"p2ptest"}, "only tests and p2ptest test"},
	{"net/http", []string{"actors", "supervisor", "cmd"}, "wire and crypto know no sockets"},
	{"net", []string{"actors", "supervisor", "cmd"}, "wire and crypto know no sockets"},
	{"crypto/ecdh", []string{"crypto"}, "keys belong to crypto"},
	{"crypto/mlkem", []string{"crypto"}, "keys belong to crypto"},
}

// testTools are the packages of tests/ that tests anywhere may import.
var testTools = []string{
	"tests/bustest", "tests/memnet", "tests/nodetest", "tests/guardpage", "tests/refpeer", "tests/sockettest",
}

// forbiddenCalls are the ways to something global that code below cmd must not take.
var forbiddenCalls = []string{
	"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "slog.SetDefault",
	"http.Handle", "http.HandleFunc", "http.DefaultServeMux",
	"prometheus.MustRegister", "prometheus.DefaultRegisterer", "otel.SetMeterProvider",
}

func TestImportsPointDown(t *testing.T) {
	files := goFiles(t)
	seen := map[string]int{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		seen[folder(path)]++
		for _, fault := range faults(path, file) {
			t.Errorf("%s: %s", path, fault)
		}
	}
	for _, name := range slices.Concat(slices.Concat(layers...), []string{"tests"}) {
		if seen[name] == 0 {
			t.Errorf("no Go file found in %s/: the check saw nothing there", name)
		}
	}
}

// TestForbiddenImportsAreSeen proves that the check above can fail, once for each rule, and that it lets good code
// pass.
func TestForbiddenImportsAreSeen(t *testing.T) {
	tests := []struct {
		path, source string
		faults       int
	}{
		{"supervisor/a.go", `import ("net/http"; "` + module + `/actors"; "` + module + `/wire")`, 0},
		{"supervisor/a.go", `import "github.com/coder/websocket"`, 0},
		{"supervisor/sub/a.go", `import "` + module + `/supervisor"`, 0},
		{"crypto/a_test.go", `import "github.com/Snider/Borg/pkg/smsg"`, 0},
		{"cmd/node/main.go", `import ("os"; "` + module + `/supervisor"); func main() { os.Exit(1) }`, 0},
		{"examples/a/main.go", `import ("log"; "` + module + `/supervisor"); func main() { log.Fatal() }`, 0},
		{"examples/a/main.go", `import "` + module + `/cmd/node/internal/top"`, 1},
		{"tests/blackbox/a_test.go", `import ("github.com/gorilla/websocket"; "` + module + `/tests/refpeer")`, 0},
		{"tests/simulation/a_test.go", `import "` + module + `/supervisor"`, 0},
		{"actors/a_test.go", `import "` + module + `/tests/memnet"`, 0},
		{"actors/a.go", `import "` + module + `/tests/memnet"`, 1},
		{"crypto/internal/a/a_test.go", `import "` + module + `/tests/guardpage"`, 0},
		{"crypto/internal/a/a.go", `import "` + module + `/tests/guardpage"`, 1},
		{"tests/blackbox/a_test.go", `import "` + module + `/wire"`, 1},
		{"wire/a.go", `import "` + module + `/crypto"`, 1},
		{"crypto/a.go", `import "` + module + `/wire"`, 1},
		{"crypto/smsg/a.go", `import "` + module + `/wire"`, 1},
		{"crypto/smsg/a_test.go", `import "` + module + `/wire"`, 1},
		{"crypto/smsg/a.go", `import "` + module + `/crypto"`, 0},
		{"crypto/a.go", `import "` + module + `/crypto/smsg"`, 1},
		{"crypto/a_test.go", `import "` + module + `/crypto/smsg"`, 1},
		{"crypto/smsg/a.go", `import "encoding/json"`, 1},
		{"crypto/session/a.go", `import ("crypto/mlkem"; "` + module + `/crypto")`, 0},
		{"crypto/session/a.go", `import ("encoding/json"; "` + module + `/crypto/smsg")`, 2},
		{"crypto/smsg/a.go", `import ("crypto/mlkem"; "` + module + `/crypto/session")`, 1},
		{"crypto/a.go", `import "` + module + `/crypto/session"`, 1},
		{"actors/a.go", `import ("crypto/mlkem"; "` + module + `/crypto/session")`, 1},
		{"crypto/smsg/a_test.go", `import "encoding/json"`, 0},
		{"crypto/keyfile.go", `import "encoding/json"`, 0},
		{"wire/sub/a.go", `import "` + module + `/crypto/smsg"`, 1},
		{"actors/a.go", `import "` + module + `/supervisor"`, 1},
		{"actors/a_test.go", `import "` + module + `/supervisor"`, 1},
		{"supervisor/a.go", `import "` + module + `/tests/refpeer"`, 1},
		{"tests/refpeer/a.go", `import "` + module + `/wire"`, 1},
		{"wire/a.go", `import ("net"; "github.com/asynkron/protoactor-go/actor")`, 2},
		{"crypto/a.go", `import "github.com/Snider/Borg/pkg/smsg"`, 1},
		{"cmd/node/main.go", `import "github.com/coder/websocket"`, 1},
		{"actors/a.go", `import "os"; func f() { os.Exit(1) }`, 1},
		{"extra/a.go", `import "os"`, 1},
		{"p2ptest/a.go", `import ("testing"; "` + module + `/supervisor"; "` + module + `/tests/memnet")`, 0},
		{"p2ptest/a.go", `import "` + module + `/tests/nodetest"`, 1},
		{"p2ptest/a_test.go", `import "` + module + `/tests/nodetest"`, 0},
		{"p2ptest/a.go", `import "` + module + `/cmd/node/internal/top"`, 1},
		{"cmd/node/main.go", `import "` + module + `/p2ptest"`, 1},
		{"cmd/node/main.go", `import "testing/synctest"`, 1},
		{"supervisor/a.go", `import ("testing"; "` + module + `/p2ptest")`, 2},
		{"supervisor/cluster/natsbus/a.go", `import "github.com/nats-io/nats.go"`, 0},
		{"supervisor/cluster/a.go", `import "github.com/nats-io/nats.go"`, 1},
		{"cmd/node/a.go", `import ("github.com/nats-io/nats.go"; "` + module + `/supervisor/cluster/natsbus")`, 1},
		{"cmd/node/internal/top/a.go", `import "` + module + `/supervisor/cluster/natsbus"`, 0},
		{"supervisor/a.go", `import "` + module + `/supervisor/cluster/natsbus"`, 1},
		{"supervisor/cluster/a.go", `import "` + module + `/supervisor/cluster/membus"`, 1},
		{"supervisor/cluster/a_test.go", `import "` + module + `/supervisor/cluster/membus"`, 0},
	}
	for _, tt := range tests {
		file, err := parser.ParseFile(token.NewFileSet(), tt.path, "package p; "+tt.source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := faults(tt.path, file); len(got) != tt.faults {
			t.Errorf("%s with %s: found %q, want %d faults", tt.path, tt.source, got, tt.faults)
		}
	}
}

// mayImport reports whether an arrow inside the module points the right way. The reference peer and the black box know
// nothing of the code; other tests may use anything; the code's own tests may use
// the in-memory network, the guarded memory and the reference peer. p2ptest is built on the in-memory network.
func mayImport(path, inner string) bool {
	own, to := folder(path), folder(inner)
	switch {
	case own == to:
		return true
	case own == "tests":
		return !strings.HasPrefix(path, "tests/refpeer/") && !strings.HasPrefix(path, "tests/blackbox/")
	case to == "tests":
		return slices.Contains(testTools, inner) && strings.HasSuffix(path, "_test.go") ||
			own == "p2ptest" && inner == "tests/memnet"
	default:
		return layer(to) < layer(own)
	}
}

// faults returns the rules that a file breaks.
func faults(path string, file *ast.File) []string {
	var found []string
	own := folder(path)
	test := strings.HasSuffix(path, "_test.go")
	if own != "tests" && layer(own) < 0 {
		return []string{"the folder has no place in the architecture"}
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return []string{err.Error()}
		}
		if inner, ok := strings.CutPrefix(imported, module+"/"); ok {
			if to := folder(inner); !mayImport(path, inner) {
				found = append(found, fmt.Sprintf("imports %s: the arrow from %s to %s points up or aside", imported, own, to))
			}
		}
		if dir := pathOf(path); !test && imported == "encoding/json" &&
			slices.ContainsFunc(byteOnly, func(d string) bool { return within(dir, d) }) {
			found = append(found, fmt.Sprintf("imports %s: all JSON of messages is wire's", imported))
		}
		for _, l := range lower {
			if pathOf(path) == l.folder && within(imported, module+"/"+l.notOf) {
				found = append(found, fmt.Sprintf("imports %s: %s", imported, l.why))
			}
		}
		for _, c := range confined {
			allowed := slices.ContainsFunc(c.folders, func(folder string) bool { return within(pathOf(path), folder) })
			if within(imported, c.prefix) && own != "tests" && !test && !allowed && !within(module+"/"+pathOf(path), c.prefix) {
				found = append(found, fmt.Sprintf("imports %s: %s", imported, c.why))
			}
		}
	}
	if own == "cmd" || own == "examples" || own == "tests" || test {
		return found
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && slices.Contains(forbiddenCalls, pkg.Name+"."+s.Sel.Name) {
				found = append(found, fmt.Sprintf("uses %s.%s: nothing global below cmd", pkg.Name, s.Sel.Name))
			}
		}
		return true
	})
	return found
}

// pathOf is the package of a file: its folder, with slashes.
func pathOf(file string) string { return filepath.ToSlash(filepath.Dir(file)) }

// folder is the first element of a path inside the module.
func folder(path string) string {
	first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	return first
}

// layer is a folder's row, -1 when it has none.
func layer(name string) int {
	return slices.IndexFunc(layers, func(row []string) bool { return slices.Contains(row, name) })
}

// within reports whether an import path is a package or lies below it. "net" is only itself: net/url is no socket.
func within(imported, prefix string) bool {
	return imported == prefix || prefix != "net" && strings.HasPrefix(imported, prefix+"/")
}

// goFiles lists the module's Go files, by paths relative to its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(name, ".go") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
