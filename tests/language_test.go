package tests

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wordRule limits one form of speech. Limits are matches per 1,000 lines of text, the highest value measured in seven
// well-kept Go projects; zero forbids the form.
type wordRule struct {
	name  string
	form  *regexp.Regexp
	limit float64
}

var wordRules = []wordRule{
	{"a pronoun in place of the actor", regexp.MustCompile(`(?i)\b(who|whom|whoever|whomever)\b`), 2.3},
	{"an indefinite person", regexp.MustCompile(`(?i)\b(no|some|every|any)body\b`), 0.8},
	{"a clause in place of a noun", regexp.MustCompile(`(?i)\bwhat(ever)?\s+(it|he|they|we|an?|the|this|that|` +
		`is|are|was|were|has|have|had|does|did|do|comes?|came|waits?|goes|went|gives|gave|makes|made|needs|left|` +
		`must|may|can|could|would|will|becomes?|became|arrives?|belongs?|happens|happened|follows)\b`), 2.3},
	{"a word of the old dialect", regexp.MustCompile(`(?i)\b(applicants?|baton|surroundings|verbatim|farewell|` +
		`hurry|climb|census|makeroom|turnPatience)\b`), 0},
}

// TestCommentsStayPlainEnglish reads every Go comment of the module, submodules included.
func TestCommentsStayPlainEnglish(t *testing.T) {
	var lines []textLine
	walk(t, ".go", func(path string, source []byte) { lines = append(lines, comments(path, source)...) })
	checkWords(t, lines)
}

// TestPagesStayPlainEnglish reads README, docs and all other pages, without their code blocks.
func TestPagesStayPlainEnglish(t *testing.T) {
	var lines []textLine
	walk(t, ".md", func(path string, source []byte) { lines = append(lines, prose(path, source)...) })
	checkWords(t, lines)
}

type textLine struct {
	path string
	line int
	text string
}

func checkWords(t *testing.T, lines []textLine) {
	t.Helper()
	if len(lines) < 500 {
		t.Fatalf("only %d lines of text found: is the walk broken?", len(lines))
	}
	for _, rule := range wordRules {
		var found []textLine
		for _, l := range lines {
			for range rule.form.FindAllString(l.text, -1) {
				found = append(found, l)
			}
		}
		rate := 1000 * float64(len(found)) / float64(len(lines))
		t.Logf("%s: %d in %d lines, %.1f per 1,000, limit %.1f", rule.name, len(found), len(lines), rate, rule.limit)
		if rate <= rule.limit {
			continue
		}
		t.Errorf("%s: above the limit", rule.name)
		for _, l := range found {
			t.Logf("%s:%d: %s", l.path, l.line, l.text)
		}
	}
}

// walk calls visit with each file of the repository whose name ends in ext.
func walk(t *testing.T, ext string, visit func(path string, source []byte)) {
	t.Helper()
	root := ".."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".github":
			return fs.SkipDir
		case entry.IsDir(), filepath.Ext(path) != ext, filepath.Base(path) == "language_test.go":
			return nil
		}
		source, err := os.ReadFile(path)
		visit(path, source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// comments returns the lines of all comments in a Go file, directives left out.
func comments(path string, source []byte) []textLine {
	var found []textLine
	files := token.NewFileSet()
	file := files.AddFile(path, -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return found
		}
		if tok != token.COMMENT || strings.HasPrefix(text, "//go:") {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			found = append(found, textLine{path, file.Line(pos) + i, line})
		}
	}
}

// prose returns the lines of a page that hold text, without code blocks and inline code.
func prose(path string, source []byte) []textLine {
	var found []textLine
	code := false
	inline := regexp.MustCompile("`[^`]*`")
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			code = !code
			continue
		}
		if !code && strings.TrimSpace(line) != "" {
			found = append(found, textLine{path, i + 1, inline.ReplaceAllString(line, "")})
		}
	}
	return found
}
