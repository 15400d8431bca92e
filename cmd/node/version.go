package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/Snider/go-p2p/cmd/node/internal/admin"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// Version, commit and date of the build, set with -ldflags "-X main.buildVersion=…". If empty, the build information of
// the Go toolchain applies. No code changes them.
var buildVersion, buildCommit, buildDate string

// build describes the binary. Texts that are not known are "unknown".
type build struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"` // commit
	Modified  bool   `json:"modified"` // built with changes that are not in the commit
	Date      string `json:"date"`     // of the commit, RFC 3339
	GoVersion string `json:"goversion"`
}

// thisBuild describes this binary.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return newBuild(info, buildVersion, buildCommit, buildDate)
}

// newBuild fills missing values from the build information of the toolchain: the module version (from the tag) and the
// commit.
func newBuild(info *debug.BuildInfo, number, commit, date string) build {
	modified := false
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = cmp.Or(commit, s.Value)
		case s.Key == "vcs.time":
			date = cmp.Or(date, s.Value)
		case s.Key == "vcs.modified":
			modified = s.Value == "true" && number == ""
		}
	}
	return build{
		Version: cmp.Or(number, info.Main.Version, "(devel)"), Revision: cmp.Or(commit, "unknown"), Modified: modified,
		Date: cmp.Or(date, "unknown"), GoVersion: cmp.Or(info.GoVersion, "unknown"),
	}
}

// String returns all of it in one line.
func (b build) String() string {
	changed := ""
	if b.Modified {
		changed = ", with changes"
	}
	return fmt.Sprintf("%s (commit %s%s, %s, %s)", b.Version, b.Revision, changed, b.Date, b.GoVersion)
}

// labels returns the labels of p2p_build_info.
func (b build) labels() admin.Build {
	return admin.Build{Version: b.Version, Revision: b.Revision, GoVersion: b.GoVersion}
}

// maxAgent is the maximum size of an announced agent in bytes, see wire.MaxFeatureBytes.
const maxAgent = 64 - len("agent/")

// agent returns software and version as peers get it: printable ASCII, cut to the size of a feature.
func (b build) agent() string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, "go-p2p "+b.Version)
	return text[:min(len(text), maxAgent)]
}

// version describes the binary in one line.
func version() string { return thisBuild().String() }

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this binary",
		Long: "Print version, commit, commit date and Go version of this binary. 'node status' shows the version of the\n" +
			"running node.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.settings(cmd, settings.ScopeClient)
			if err != nil {
				return err
			}
			b := thisBuild()
			return a.print(s, b, func(w io.Writer) { writeBuild(w, b) })
		},
	}
}

func writeBuild(w io.Writer, b build) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "version\t%s\n", b.Version)
	revision := b.Revision
	if b.Modified {
		revision += ", with changes"
	}
	fmt.Fprintf(table, "commit\t%s\n", revision)
	fmt.Fprintf(table, "date\t%s\n", b.Date)
	fmt.Fprintf(table, "go\t%s\n", b.GoVersion)
	table.Flush()
}
