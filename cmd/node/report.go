package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

// reported is the answer of `node report`.
type reported struct {
	File  string `json:"file"`
	Bytes int    `json:"bytes"`
}

func (a *app) reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report [FILE]",
		Short: "Write a support archive of the running node",
		Long: "Write a support archive of the running node into FILE, or go-p2p-report-TIME.tar.gz in this directory, and\n" +
			"print its name; - writes it to standard output. It holds version, settings, status, peers, metrics, the newest\n" +
			"events and log lines, the stacks of all goroutines and a heap profile, but neither payloads nor keys. It does\n" +
			"hold names, node IDs and addresses of peers: read it before you send it.",
		Args: arguments(0, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := cmp.Or(append(args, "")[0], "go-p2p-report-"+a.now().UTC().Format(reportForm)+".tar.gz")
			if name == "-" && a.terminal() {
				return badUsage(cmd, "an archive does not belong on a terminal: give a FILE")
			}
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			archive, err := client.Report(cmd.Context())
			if err != nil {
				return explain(err, s.DataDir, "report")
			}
			if name == "-" {
				_, err := a.out.Write(archive)
				return err
			}
			if err := writeNew(name, archive); err != nil {
				return err
			}
			result := reported{File: name, Bytes: len(archive)}
			return a.print(s, result, func(w io.Writer) { fmt.Fprintln(w, name) })
		},
	}
}

// writeNew writes a file, mode 0600, that must not exist. After an error there is no part of it.
func writeNew(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &usageError{fmt.Sprintf("report: %s exists: give another FILE, or remove it", printable.Word(name))}
	}
	if err != nil {
		return fmt.Errorf("report: %w: give another FILE", err)
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		err = errors.Join(err, os.Remove(name))
		return fmt.Errorf("report: %w: give another FILE", err)
	}
	return nil
}
