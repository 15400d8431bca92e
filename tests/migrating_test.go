package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMigratingPageNamesExist checks that each exported name in the column of today's names of docs/migrating.md is
// declared: as a type, function, method, field, constant or variable.
func TestMigratingPageNamesExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "migrating.md"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{"ADDR": true, "ID": true, "Logger": true, "Duration": true} // not ours
	for _, folder := range []string{
		"actors", "actors/socket", "crypto", "crypto/smsg", "supervisor", "supervisor/dedup", "supervisor/peerbook", "wire",
	} {
		declare(t, folder, declared)
	}
	code, name := regexp.MustCompile("`[^`]*`"), regexp.MustCompile(`\b[A-Z][A-Za-z]+\b`)
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		rows++
		for _, text := range code.FindAllString(cells[2], -1) {
			for _, found := range name.FindAllString(text, -1) {
				if !declared[found] {
					t.Errorf("%s in the row of %s is not declared", found, strings.TrimSpace(cells[1]))
				}
			}
		}
	}
	if rows < 50 {
		t.Errorf("%d rows read", rows)
	}
}

// declare adds the names of the declarations and struct fields of a folder.
func declare(t *testing.T, folder string, names map[string]bool) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
				return false
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			case *ast.Field:
				for _, name := range n.Names {
					names[name.Name] = true
				}
			}
			return true
		})
	}
}
