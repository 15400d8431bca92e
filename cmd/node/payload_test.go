package main

import (
	"errors"
	"strings"
	"testing"
)

func TestPayloadAcceptsJSONAndText(t *testing.T) {
	for _, c := range []struct {
		args        []string
		stdin, want string
	}{
		{args: []string{"hi"}, want: `"hi"`},
		{args: []string{`{"a":1}`}, want: `{"a":1}`},
		{args: []string{"5"}, want: "5"},
		{args: []string{"null"}, want: "null"},
		{args: []string{""}, want: `""`},
		{args: []string{"{bad"}, want: `"{bad"`},
		{args: []string{"<b>&"}, want: `"<b>&"`},
		{args: []string{"two\n"}, want: `"two\n"`},
		{args: []string{"-"}, stdin: "[1]\n", want: "[1]"},
		{stdin: "text\n", want: `"text"`},
		{stdin: "text\r\n", want: `"text"`},
		{stdin: "text\n\n", want: `"text\n"`},
		{stdin: "\n", want: `""`},
		{stdin: "", want: "null"},
	} {
		a := &app{stdin: strings.NewReader(c.stdin)}
		if got, err := a.payload(c.args); err != nil || string(got) != c.want {
			t.Errorf("%q, standard input %q: %s, %v, want %s", c.args, c.stdin, got, err, c.want)
		}
	}
	var wrong *usageError
	if _, err := new(app).payload([]string{"\xff"}); !errors.As(err, &wrong) {
		t.Errorf("bad UTF-8: %v", err)
	}
}
