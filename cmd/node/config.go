package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/spf13/cobra"
)

// configuration is the answer of `node config`.
type configuration = control.Configuration

// Configuration implements control.Node. A setting whose present value needs a restart has that value in Waiting.
func (n *node) Configuration() control.Configuration {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	c := configuration{Settings: n.settings.Values(), File: n.settings.File}
	next, err := n.read()
	if err != nil {
		return c // a reload reports it
	}
	if _, _, restart, err := n.settings.Take(next); err == nil {
		for i, v := range next.Values() {
			if slices.Contains(restart, v.Name) {
				c.Settings[i].Waiting = &v.Value
			}
		}
	}
	return c
}

func (a *app) configCommand() *cobra.Command {
	var example, running bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in force and the source of each value",
		Long: `Print the configuration with which 'node run' would start with the same flags, environment
and file, and the source of each value: flag, environment, file, default or peer book.

In the file (YAML) the keys are the names of the flags; an unknown key is an error:

  listen: 127.0.0.1:9091
  peer: [10.0.0.7:9091, wss://example.org/ws]
  max-conns: 50

With --running it asks the running node, and shows the settings that wait for a restart, too. With
--example it prints such a file with every setting and its default, commented.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				return settings.WriteExample(a.out, a.options(nil))
			}
			if running {
				var c configuration
				return a.show(cmd, "config", &c, func(w io.Writer) { writeConfiguration(w, c) })
			}
			s, err := a.settings(cmd, settings.ScopeNode)
			if err != nil {
				return err
			}
			if err := useStoredAuth(cmd, s); err != nil {
				return err
			}
			result := configuration{Settings: s.Values(), File: s.File}
			return a.print(s, result, func(w io.Writer) { writeConfiguration(w, result) })
		},
	}
	a.addSettings(cmd, cmd.Flags(), settings.ScopeNode)
	cmd.Flags().BoolVar(&running, "running", false, "ask the running node")
	cmd.Flags().BoolVar(&example, "example", false, "print a commented settings file with every setting")
	return cmd
}

// peerBook returns the path of the peer book of a data directory.
func peerBook(dir string) string { return filepath.Join(dir, "peers.db") }

// useStoredAuth reads the stored mode from the peer book, or from the running node, which holds the lock of the peer
// book. It creates no file.
func useStoredAuth(cmd *cobra.Command, s *settings.Settings) error {
	if s.Source("auth") != settings.FromDefault {
		return nil
	}
	if _, err := os.Stat(peerBook(s.DataDir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	book, err := supervisor.OpenPeerRegistry(peerBook(s.DataDir))
	if errors.Is(err, supervisor.ErrInUse) {
		return askStoredAuth(cmd, s)
	}
	if err != nil {
		return accessible(err)
	}
	if mode, stored := book.StoredAuthMode(); stored {
		s.UseStoredAuth(mode)
	}
	return book.Close()
}

func askStoredAuth(cmd *cobra.Command, s *settings.Settings) error {
	raw, err := control.NewClient(s.DataDir).Get(cmd.Context(), "auth")
	if err != nil {
		return explain(err, s.DataDir, "ask the running node for its auth mode")
	}
	var answer control.Auth
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if !answer.Stored {
		return nil
	}
	mode, err := supervisor.ParseAuthMode(answer.Auth)
	if err == nil {
		s.UseStoredAuth(mode)
	}
	return err
}

func writeConfiguration(w io.Writer, c configuration) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tSOURCE")
	for _, v := range c.Settings {
		fmt.Fprintf(table, "%s\t%s\t%s", v.Name, printable.Word(v.Value), v.Source)
		if v.Waiting != nil {
			fmt.Fprintf(table, ", %s after a restart", printable.Word(*v.Waiting))
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}
