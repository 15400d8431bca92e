package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/spf13/cobra"
)

func (a *app) allowlistCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "allowlist",
		Short: "Print the mode and the allowed and revoked keys",
		Long: "Print the mode in force, the keys of the allowlist and the revoked keys, each with node ID and the name\n" +
			"last seen. Peers pinned with --peer ADDR#ID are permitted too and not listed.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list output.Allowlist
			return a.show(cmd, "allowlist", &list, func(w io.Writer) { writeAllowlist(w, list) })
		},
	}
}

func writeAllowlist(w io.Writer, list output.Allowlist) {
	fmt.Fprintln(w, "mode", list.Mode)
	if len(list.Allowed)+len(list.Revoked) == 0 {
		fmt.Fprintln(w, "no key is allowed or revoked: `node allow KEY` allows one")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tID\tNAME\tKEY")
	writeKeys(table, "allowed", list.Allowed)
	writeKeys(table, "revoked", list.Revoked)
	table.Flush()
}

func writeKeys(w io.Writer, state string, keys []output.ListedKey) {
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", state, k.ID, printable.Cut(orDash(k.Name), 32), k.Key)
	}
}

func (a *app) pendingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pending",
		Short: "Print the peers that were refused because they are not on the allowlist",
		Long: "Print the peers that were refused since the start because they are not on the allowlist, the newest\n" +
			"attempt first: at most 100, and at most 10 of one address. A peer that has dialled this node has proved\n" +
			"neither key nor name: compare the key with that of 'node id' there, then allow it with\n" +
			"'node allow --pending ID'.\n\n" +
			"Of several processes that share a node, each has a list of its own, and 'node allow --pending ID' finds the\n" +
			"peers of the list of the process that it asks.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var peers []output.Pending
			err := a.show(cmd, "pending", &peers, func(w io.Writer) { writePending(w, peers, a.now()) })
			if err != nil {
				return err
			}
			_, client, err := a.client(cmd)
			if err == nil {
				nameOtherMembers(cmd.Context(), a.stderr, client, "pending", "peers")
			}
			return err
		},
	}
}

func writePending(w io.Writer, peers []output.Pending, now time.Time) {
	if len(peers) == 0 {
		fmt.Fprintln(w, "no peer is pending")
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tCLAIMED NAME\tPROOF\tADDRESS\tFIRST\tLAST\tCOUNT\tKEY")
	for _, p := range peers {
		proof := "key"
		if p.Unproven {
			proof = "unproven"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s ago\t%s ago\t%d\t%s\n", p.ID, printable.Cut(orDash(p.Name), 32), proof,
			orDash(p.Address), output.Age(now.Sub(p.FirstAt)), output.Age(now.Sub(p.LastAt)), p.Count, p.Key)
	}
	table.Flush()
}

func (a *app) aliasCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "alias ID NAME",
		Short: "Give a peer a local name",
		Long: "Give a peer a local name, which wins over the names that peers claim. ID is a whole node ID, or stands for\n" +
			"a known peer. A peer has one alias; an empty NAME removes it.\n\n" + peerHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return badUsage(cmd, "NAME is missing")
			}
			if err := arguments(2, 2, "ID")(cmd, args); err != nil {
				return err
			}
			if err := peerbook.CheckAlias(args[1]); args[1] != "" && err != nil {
				return badUsage(cmd, "NAME %s: %v", printable.Cut(printable.Word(args[1]), 80), err)
			}
			return nil
		},
		ValidArgsFunction: a.completePeer,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			answer, err := client.Alias(cmd.Context(), control.AliasRequest{Peer: args[0], Alias: args[1]})
			if err != nil {
				return explain(err, s.DataDir, "alias "+printable.Word(args[0]))
			}
			return a.print(s, answer, func(w io.Writer) {
				if answer.Alias == "" {
					fmt.Fprintf(w, "%s has no alias\n", answer.Peer)
					return
				}
				fmt.Fprintf(w, "%s is %s\n", answer.Peer, printable.Word(answer.Alias))
			})
		},
	}
}
