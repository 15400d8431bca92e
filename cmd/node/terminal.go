package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal reports whether standard output is one.
func (a *app) terminal() bool { return isTerminal(a.stdout) }

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// progress returns where long work shows how far it has come: standard error when that is a terminal, else nil.
func (a *app) progress() io.Writer {
	if shared, ok := a.stderr.(*lockedWriter); ok && isTerminal(shared.w) {
		return shared
	}
	return nil
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
