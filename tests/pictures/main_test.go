package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDrawRendersStylesAndLines(t *testing.T) {
	var out strings.Builder
	screen := "plain \x1b[1mbold\x1b[0m <&>\n\n\x1b[7mchosen\x1b[0m\x1b[32m good\x1b[39m\n\n\n"
	if err := draw(strings.NewReader(screen), &out); err != nil {
		t.Fatal(err)
	}
	picture := out.String()
	for _, want := range []string{
		`font-weight="bold">bold<`, "&lt;&amp;&gt;", `fill="#7ee787">` + "\u00a0good", `fill="` + paper + `">chosen`,
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("no %s in\n%s", want, picture)
		}
	}
	// Blank lines between other lines are drawn; those at the end are dropped.
	if !strings.Contains(picture, `height="75"`) {
		t.Errorf("the height is not that of three lines:\n%.200s", picture)
	}
	decoder := xml.NewDecoder(strings.NewReader(picture))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
