package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

func (a *app) forgetCommand() *cobra.Command {
	var request control.ForgetRequest
	var older span
	cmd := &cobra.Command{
		Use:   "forget PEER... | --unverified | --older DURATION",
		Short: "Remove peers from the peer book, or their pins",
		Long: "Remove peers from the peer book. Allowlist, revocations, aliases and the time of 'disconnect --for' stay,\n" +
			"and so do open connections: a connected peer enters the book again with its next connection. A peer that is\n" +
			"kept connected is not redialled, unless the settings name its address.\n\n" +
			"With --unverified and --older remove the peers that have never been verified, or were not seen for that long.\n" +
			"Connected, configured, allowlisted and aliased peers stay.\n\n" +
			"With --pin keep the peers, and forget which additions of the protocol they have used: sessions, bound frames\n" +
			"and features. Messages to a peer that was rolled back to an earlier release are then not held.\n\n" + peerHelp,
		Example: "  node forget bob\n  node forget --older 720h\n  node forget --pin 8dffda5f",
		Args: func(cmd *cobra.Command, args []string) error {
			byRule := request.Unverified || older.Duration != 0
			switch {
			case !byRule:
				return arguments(1, -1, "PEER")(cmd, args)
			case len(args) > 0:
				return badUsage(cmd, "PEER excludes --unverified and --older")
			case request.Pin:
				return badUsage(cmd, "--pin needs a PEER")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return a.completePeer(cmd, nil, begun) // any number
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Peers, request.OlderMs = args, older.milliseconds()
			return a.forget(cmd, request)
		},
	}
	cmd.Flags().BoolVar(&request.Pin, "pin", false, "keep the peers, remove only their pins")
	cmd.Flags().BoolVar(&request.Unverified, "unverified", false, "those that have never been verified")
	cmd.Flags().Var(&older, "older", "those that were not seen for this long")
	return cmd
}

func (a *app) forget(cmd *cobra.Command, request control.ForgetRequest) error {
	s, client, err := a.client(cmd)
	if err != nil {
		return err
	}
	result, err := client.Forget(cmd.Context(), request)
	if err != nil {
		names := make([]string, len(request.Peers))
		for i, name := range request.Peers {
			names[i] = printable.Word(name)
		}
		return explain(err, s.DataDir, strings.TrimSpace("forget "+strings.Join(names, " ")))
	}
	key := "forgotten"
	if result.Pin {
		key = "unpinned"
	}
	return a.print(s, map[string][]string{key: result.Forgotten}, func(w io.Writer) {
		for _, id := range result.Forgotten {
			fmt.Fprintln(w, key, id)
		}
		switch {
		case len(result.Forgotten) > 0:
		case result.Pin:
			fmt.Fprintln(w, "no pin was removed")
		default:
			fmt.Fprintln(w, "no peer was removed")
		}
	})
}
