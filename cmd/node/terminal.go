package main

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal reports whether standard output is one.
func (a *app) terminal() bool {
	file, ok := a.stdout.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// color reports whether standard output may have colours: on a terminal that knows them, unless NO_COLOR says no.
func (a *app) color() bool {
	return a.terminal() && a.variable("NO_COLOR") == "" && a.variable("TERM") != "dumb"
}

// variable returns the value of an environment variable, "" when it is not there.
func (a *app) variable(name string) string {
	for _, entry := range a.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
