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
	"github.com/spf13/cobra"
)

func (a *app) allowCommand() *cobra.Command {
	return a.keysCommand("allow KEY...", "Add public keys to the allowlist",
		"Add public keys (base64, see 'node id' of the peer) to the allowlist. In the mode allowlist only their owners\n"+
			"can connect.",
		"allowed", (*control.Client).Allow)
}

func (a *app) revokeCommand() *cobra.Command {
	return a.keysCommand("revoke KEY...", "Remove public keys from the allowlist",
		"Remove public keys (base64) from the allowlist. Their owners are disconnected immediately and refused from then on.",
		"revoked", (*control.Client).Revoke)
}

func (a *app) keysCommand(use, short, long, done string,
	change func(*control.Client, context.Context, control.Keys) (control.Keys, error),
) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  arguments(1, -1, "KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, key := range args {
				if _, err := crypto.ParsePublicKey(key); err != nil {
					return badUsage(cmd, "KEY %s: %v", printable.Cut(printable.Word(key), 80), err)
				}
			}
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			if _, err := change(client, cmd.Context(), control.Keys{Keys: args}); err != nil {
				return explain(err, s.DataDir, cmd.Name())
			}
			return a.print(s, map[string][]string{done: args}, func(w io.Writer) {
				for _, key := range args {
					fmt.Fprintln(w, done, key)
				}
			})
		},
	}
}

func (a *app) authCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "auth [open|allowlist]",
		Short: "Show or set the authorization mode",
		Long: `Show or set the authorization mode: open admits every peer that is not revoked, allowlist
only the owners of the keys given to 'node allow'. The peer book keeps the mode for later
starts, unless --auth, NODE_AUTH or the settings file set another one.`,
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
			return a.print(s, mode, func(w io.Writer) { fmt.Fprintln(w, mode.Auth) })
		},
	}
}

func showOrSet(ctx context.Context, client *control.Client, args []string) (mode control.Auth, err error) {
	if len(args) == 1 {
		return client.SetAuth(ctx, control.Auth{Auth: args[0]})
	}
	raw, err := client.Get(ctx, "auth")
	if err == nil {
		err = json.Unmarshal(raw, &mode)
	}
	return mode, err
}
