package main

import (
	"fmt"
	"runtime/debug"
)

// version describes the binary by what the Go toolchain wrote into it: the module's version (from the tag), and the
// commit with its date.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return describe(info)
}

func describe(info *debug.BuildInfo) string {
	number, commit, date, changed := info.Main.Version, "unknown", "unknown", ""
	if number == "" {
		number = "(devel)"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.time":
			date = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", with changes"
		}
	}
	return fmt.Sprintf("%s (commit %s%s, %s, %s)", number, commit, changed, date, info.GoVersion)
}
