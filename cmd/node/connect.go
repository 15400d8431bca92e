package main

import (
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

func (a *app) connectCommand() *cobra.Command {
	timeout := span{15 * time.Second}
	cmd := &cobra.Command{
		Use:   "connect ADDR",
		Short: "Dial a peer and keep it connected from now on",
		Long: "Dial a peer at host:port, ws://… or wss://…, add it to the peer book and keep it connected from now on.\n" +
			"Prints the identity that answered.",
		Args: arguments(1, 1, "ADDR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := settings.CheckAddress(args[0]); err != nil {
				return badUsage(cmd, "ADDR %s: %v", printable.Cut(printable.Word(args[0]), 80), err)
			}
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			request := control.ConnectRequest{Address: args[0], TimeoutMs: timeout.milliseconds()}
			peer, err := client.Connect(cmd.Context(), request)
			if err != nil {
				return explain(err, s.DataDir, "connect to "+printable.Word(args[0]))
			}
			return a.print(s, peer, func(w io.Writer) {
				fmt.Fprintf(w, "connected to %s (%s) at %s\n", printable.Word(peer.Name), peer.Peer, printable.Word(peer.Address))
			})
		},
	}
	cmd.Flags().Var(&timeout, "timeout", "how long to wait for the connection")
	return cmd
}
