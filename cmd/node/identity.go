package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/spf13/cobra"
)

func (a *app) idCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "id",
		Short: "Print this node's public identity",
		Long: "Print this node's public identity. The first use creates it, with --name and --role. It does not change\n" +
			"afterwards. With --import, the private key of a deployed node (private.key, 32 raw bytes) becomes this node's;\n" +
			"an existing identity is an error. Never run both nodes with one key.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.settings(cmd, settings.ScopeIdentity)
			if err == nil {
				err = requireDataDir(s)
			}
			if err != nil {
				return err
			}
			var manager *crypto.NodeManager
			var created bool
			if from != "" {
				manager, err = importIdentity(s, from)
				created = err == nil
			} else {
				manager, created, err = openIdentity(s, true)
			}
			if err != nil {
				return err
			}
			identity := manager.Identity()
			if created {
				fmt.Fprintf(a.stderr, "node: created a new identity in %s\n", identityPlace(s))
			}
			if !settings.Registered(identity.Name) {
				fmt.Fprintf(a.stderr, "node: deployed nodes do not register the name %s: they connect, but omit this node from "+
					"their statistics; use letters, digits, spaces, - and _, at most 64\n", printable.Word(identity.Name))
			}
			return a.print(s, identity, func(w io.Writer) { writeIdentity(w, identity) })
		},
	}
	a.addSettings(cmd, cmd.Flags(), settings.ScopeIdentity)
	cmd.Flags().StringVar(&from, "import", "", "read the private key of a deployed node from this `file`")
	return cmd
}

// identityManager loads the identity of --identity or of the data directory, if there is one.
func identityManager(s *settings.Settings) (*crypto.NodeManager, error) {
	if s.Identity != "" {
		return crypto.NewNodeManagerFile(s.Identity)
	}
	return crypto.NewNodeManagerAt(s.DataDir)
}

// identityPlace names the file or the directory of the identity.
func identityPlace(s *settings.Settings) string { return printable.Word(cmp.Or(s.Identity, s.DataDir)) }

// openIdentity loads the identity of --identity or of the data directory. If there is none, it creates it, or returns
// an error.
func openIdentity(s *settings.Settings, create bool) (manager *crypto.NodeManager, created bool, err error) {
	if manager, err = identityManager(s); err == nil && !manager.HasIdentity() {
		if !create {
			return nil, false, fmt.Errorf("%s holds no identity: copy that of another member, or make one with "+
				"`node id --identity %[1]s`", identityPlace(s))
		}
		err = manager.Generate(s.Name, s.Role)
		created = err == nil
		if errors.Is(err, crypto.ErrIdentityExists) { // another process created it first, and the manager has loaded it
			err = nil
		}
	}
	if err != nil {
		return nil, false, accessible(fmt.Errorf("open the identity in %s: %w", identityPlace(s), err))
	}
	return manager, created, nil
}

// warnOfIdentity logs a name that deployed nodes do not register, and a configured name or role that differs from the
// identity.
func (n *node) warnOfIdentity(identity crypto.NodeIdentity) {
	if !settings.Registered(identity.Name) {
		n.log.Warn("deployed nodes do not register this name: they connect, but omit this node from their statistics",
			"name", identity.Name, "allowed", "letters, digits, spaces, - and _, at most 64")
	}
	for _, fixed := range []struct{ name, given, is string }{
		{"name", n.settings.Name, identity.Name},
		{"role", string(n.settings.Role), string(identity.Role)},
	} {
		if fixed.given != fixed.is && n.settings.Source(fixed.name) != settings.FromDefault {
			n.log.Warn("the identity keeps its "+fixed.name+": the setting applies only at its creation",
				"is", fixed.is, "setting", fixed.given)
		}
	}
}

func writeIdentity(w io.Writer, identity crypto.NodeIdentity) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "id\t%s\n", identity.ID)
	fmt.Fprintf(table, "name\t%s\n", printable.Word(identity.Name))
	fmt.Fprintf(table, "public key\t%s\n", identity.PublicKey)
	fmt.Fprintf(table, "created\t%s\n", identity.CreatedAt.Format(time.RFC3339))
	fmt.Fprintf(table, "role\t%s\n", identity.Role)
	table.Flush()
}
