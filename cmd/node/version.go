package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// What the build says of itself, with -ldflags "-X main.buildVersion=…"; empty: what the Go toolchain wrote into the
// binary holds. Nothing else writes them.
var buildVersion, buildCommit, buildDate string

// version describes the binary: its version, and the commit with its date.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describe(info, buildVersion, buildCommit, buildDate)
}

// describe takes what the toolchain knows, that is the module's version (from the tag) and the commit, for all that the
// build itself did not say.
func describe(info *debug.BuildInfo, number, commit, date string) string {
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = cmp.Or(commit, s.Value)
		case s.Key == "vcs.time":
			date = cmp.Or(date, s.Value)
		case s.Key == "vcs.modified" && s.Value == "true" && number == "":
			changed = ", with changes"
		}
	}
	number = cmp.Or(number, info.Main.Version, "(devel)")
	return fmt.Sprintf("%s (commit %s%s, %s, %s)", number, cmp.Or(commit, "unknown"), changed, cmp.Or(date, "unknown"), cmp.Or(info.GoVersion, "unknown"))
}
