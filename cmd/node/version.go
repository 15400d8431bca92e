package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// Version, commit and date of the build, set with -ldflags "-X main.buildVersion=…". If empty, the build information of
// the Go toolchain applies. No code changes them.
var buildVersion, buildCommit, buildDate string

// version describes the binary: its version, and the commit with its date.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describe(info, buildVersion, buildCommit, buildDate)
}

// describe fills missing values from the build information of the toolchain: the module version (from the tag) and the
// commit.
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
	return fmt.Sprintf("%s (commit %s%s, %s, %s)", number, cmp.Or(commit, "unknown"), changed,
		cmp.Or(date, "unknown"), cmp.Or(info.GoVersion, "unknown"))
}
