package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/spf13/cobra"
)

const keyHelp = `KEY is a public key in base64, or an alias, a node ID or a prefix of one (8 characters or more) of a
peer that this node knows. A name that a peer claims is refused: its ID and key are printed instead.`

func (a *app) allowCommand() *cobra.Command {
	var request control.KeysRequest
	cmd := &cobra.Command{
		Use:   "allow KEY... | --pending ID...",
		Short: "Add public keys to the allowlist",
		Long: "Add public keys (base64, see 'node id' of the peer) to the allowlist. In the mode allowlist only their\n" +
			"owners can connect.\n\n" + keyHelp + "\n\n" +
			"With --pending, ID is that of a peer in the list of 'node pending'. First compare the key with that of\n" +
			"'node id' there: any node can claim a name.",
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Keys = args
			return a.changeKeys(cmd, request, "allowed", (*control.Client).Allow)
		},
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if request.Pending {
			return arguments(1, -1, "ID")(cmd, args)
		}
		return keyArguments(cmd, args)
	}
	cmd.Flags().BoolVar(&request.Pending, "pending", false, "the arguments are IDs of pending peers")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		if request.Pending {
			return a.completePending(cmd)
		}
		return a.completeKey(cmd)
	}
	return cmd
}

func (a *app) revokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke KEY...",
		Short: "Remove public keys from the allowlist",
		Long: "Remove public keys (base64) from the allowlist. Their owners are disconnected immediately and refused from " +
			"then on.\n\n" + keyHelp,
		Args: keyArguments,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return a.completeKey(cmd)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeKeys(cmd, control.KeysRequest{Keys: args}, "revoked", (*control.Client).Revoke)
		},
	}
}

// keyArguments requires texts that can be public keys, node IDs, prefixes of them or aliases.
func keyArguments(cmd *cobra.Command, args []string) error {
	for _, text := range args {
		if _, err := crypto.ParsePublicKey(text); err != nil && !crypto.ValidNodeID(text) &&
			peerbook.CheckAlias(text) != nil {
			return badUsage(cmd, "KEY %s: %v", printable.Cut(printable.Word(text), 80), err)
		}
	}
	return arguments(1, -1, "KEY")(cmd, args)
}

func (a *app) changeKeys(cmd *cobra.Command, request control.KeysRequest, done string,
	change func(*control.Client, context.Context, control.KeysRequest) (control.Keys, error),
) error {
	s, client, err := a.client(cmd)
	if err != nil {
		return err
	}
	answer, err := change(client, cmd.Context(), request)
	if err != nil {
		return explain(err, s.DataDir, cmd.Name())
	}
	return a.print(s, map[string][]string{done: answer.Keys}, func(w io.Writer) {
		for _, key := range answer.Keys {
			fmt.Fprintln(w, done, key)
		}
	})
}

func (a *app) authCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "auth [open|allowlist]",
		Short: "Show or set the authorization mode",
		Long: `Show or set the authorization mode: open admits every peer that is not revoked, allowlist
only the owners of the keys given to 'node allow'. The peer book keeps the mode for later
starts, unless --auth, NODE_AUTH or the settings file set another one. Setting a mode reports how many
peers it disconnects, and warns if no peer is allowed.`,
		Args:      arguments(0, 1, "MODE"),
		ValidArgs: []string{"open", "allowlist"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if _, err := supervisor.ParseAuthMode(args[0]); err != nil {
					return badUsage(cmd, "MODE %s: must be open or allowlist", printable.Cut(printable.Word(args[0]), 80))
				}
			}
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			mode, err := showOrSet(cmd.Context(), client, args)
			if err != nil {
				return explain(err, s.DataDir, "auth")
			}
			if mode.Warning != "" {
				fmt.Fprintln(a.stderr, "node: warning:", printable.Line(mode.Warning))
			}
			return a.print(s, mode, func(w io.Writer) { writeAuth(w, mode) })
		},
	}
}

func writeAuth(w io.Writer, mode control.Auth) {
	fmt.Fprintln(w, mode.Auth)
	of := ""
	if mode.Member != "" {
		of = " of member " + printable.Word(mode.Member) + "; other members disconnect theirs"
	}
	switch n := mode.Disconnected; {
	case n == nil:
	case *n == 1:
		fmt.Fprintf(w, "disconnected 1 peer%s\n", of)
	case *n > 1 || mode.Auth == supervisor.PeerAuthAllowlist.String():
		fmt.Fprintf(w, "disconnected %d peers%s\n", *n, of)
	}
}

func showOrSet(ctx context.Context, client *control.Client, args []string) (mode control.Auth, err error) {
	if len(args) == 1 {
		return client.SetAuth(ctx, control.AuthRequest{Auth: args[0]})
	}
	raw, err := client.Get(ctx, "auth")
	if err == nil {
		err = json.Unmarshal(raw, &mode)
	}
	return mode, err
}
