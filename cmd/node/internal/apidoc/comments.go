package apidoc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Comments are the comments of types and fields, by PACKAGE.Type and PACKAGE.Type.Field. The package is the last part
// of its path.
type Comments map[string]string

// Read adds the comments of the Go files of a folder; name is the last part of the path of its package.
func (c Comments) Read(folder, name string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range tree.Decls {
			if types, ok := declaration.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				c.add(name, types)
			}
		}
	}
	return nil
}

func (c Comments) add(name string, types *ast.GenDecl) {
	for _, spec := range types.Specs {
		kind := spec.(*ast.TypeSpec)
		structure, ok := kind.Type.(*ast.StructType)
		if !ok {
			continue
		}
		of := name + "." + kind.Name.Name
		c[of] = text(types.Doc)
		for _, field := range structure.Fields.List {
			for _, id := range field.Names {
				c[of+"."+id.Name] = strings.TrimSpace(text(field.Doc) + " " + text(field.Comment))
			}
		}
	}
}

// text returns a comment as one line. Go's nil is null in JSON.
func text(group *ast.CommentGroup) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(group.Text()), " "), "nil", "null")
}
