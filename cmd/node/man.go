package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the man pages. It is meant for packagers, and hidden in the help.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the man pages into a directory",
		Hidden: true,
		Args:   arguments(1, 1, "DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := os.Stat(args[0])
			if err == nil && !info.IsDir() {
				err = errors.New("not a directory")
			}
			if err != nil {
				return &usageError{fmt.Sprintf("man: %v: make the directory first", err)}
			}
			return a.writeMan(args[0])
		},
	}
}

// writeMan writes a page for each command. The pages are reproducible: they show the defaults of no particular host and
// the date of the build.
func (a *app) writeMan(dir string) error {
	anywhere := *a
	anywhere.dataDir, anywhere.file = "$XDG_DATA_HOME/go-p2p", "$XDG_CONFIG_HOME/go-p2p/node.yaml"
	anywhere.hostName = "host name"
	root := anywhere.root()
	root.DisableAutoGenTag = true
	date, err := time.Parse(time.RFC3339, buildDate)
	if err != nil {
		date = time.Unix(0, 0).UTC()
	}
	header := &doc.GenManHeader{Section: "1", Source: "go-p2p", Manual: "go-p2p", Date: &date}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("write the man pages: %w", err)
	}
	return nil
}
