package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal reports whether standard output is a terminal.
func (a *app) terminal() bool { return isTerminal(a.stdout) }

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// progress returns standard error if it is a terminal, for progress lines, else nil.
func (a *app) progress() io.Writer {
	if shared, ok := a.stderr.(*lockedWriter); ok && isTerminal(shared.w) {
		return shared
	}
	return nil
}

// color reports whether standard output may have colours: on a terminal other than dumb, unless NO_COLOR is set.
func (a *app) color() bool {
	return a.terminal() && a.variable("NO_COLOR") == "" && a.variable("TERM") != "dumb"
}

// variable returns the value of an environment variable, or "".
func (a *app) variable(name string) string {
	for _, entry := range a.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
