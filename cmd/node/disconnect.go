package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/spf13/cobra"
)

func (a *app) disconnectCommand() *cobra.Command {
	var request control.DisconnectRequest
	var refuse span
	connection := checked{kind: "number", set: func(text string) (err error) {
		request.Connection, err = strconv.ParseUint(text, 10, 64)
		if err != nil || request.Connection == 0 {
			return fmt.Errorf("must be a whole number from 1 to %d", uint64(math.MaxUint64))
		}
		return nil
	}}
	cmd := &cobra.Command{
		Use:   "disconnect PEER | --connection N",
		Short: "Close the connections to a peer and stop redialling it, or close one connection",
		Long: "Close all connections to a peer gracefully and stop redialling it. A peer that dialled this node may dial\n" +
			"again: 'node revoke' prevents that. With --for, refuse the peer for that long, inbound and outbound, also after\n" +
			"a restart; a peer that is kept connected is dialled again afterwards, and 'node allow' ends the time at once.\n\n" +
			"Of several processes that share a node, each closes its connections to the peer.\n\n" +
			"With --connection close one connection, verified or not, by the number that events and 'node peers' show.\n" +
			"Numbers are those of one process: close the connection of another member there.\n" +
			"An unverified connection has no other address. Other connections of the peer stay open, and a peer that is\n" +
			"kept connected is dialled again.\n\n" + peerHelp,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case refuse.Duration != 0 && (request.Forget || request.Connection != 0):
				return badUsage(cmd, "--for excludes --forget and --connection")
			case request.Connection == 0:
				return arguments(1, 1, "PEER")(cmd, args)
			case len(args) > 0:
				return badUsage(cmd, "PEER and --connection exclude each other")
			case request.Forget:
				return badUsage(cmd, "--forget and --connection exclude each other")
			}
			return nil
		},
		ValidArgsFunction: a.completePeer,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				request.Peer = args[0]
			}
			request.ForMs = refuse.milliseconds()
			return a.disconnect(cmd, request)
		},
	}
	cmd.Flags().BoolVar(&request.Forget, "forget", false, "also remove the peer from the peer book")
	cmd.Flags().Var(&refuse, "for", "refuse the peer for this long")
	cmd.Flags().Var(&connection, "connection", "close the connection with this `number` only")
	_ = cmd.RegisterFlagCompletionFunc("connection", a.completeConnection) // fails only for a flag that does not exist
	return cmd
}

func (a *app) disconnect(cmd *cobra.Command, request control.DisconnectRequest) error {
	s, client, err := a.client(cmd)
	if err != nil {
		return err
	}
	result, err := client.Disconnect(cmd.Context(), request)
	if err != nil {
		target := printable.Word(request.Peer)
		if request.Connection != 0 {
			target = fmt.Sprintf("connection %d", request.Connection)
		}
		return explain(err, s.DataDir, "disconnect "+target)
	}
	return a.print(s, result, func(w io.Writer) { writeDisconnected(w, result) })
}

func writeDisconnected(w io.Writer, result control.Disconnected) {
	if result.PublicKey == "" {
		fmt.Fprintln(w, notConnectedText(result))
		return
	}
	if result.Connection != 0 {
		fmt.Fprintf(w, "closed connection %d of ", result.Connection)
	} else {
		fmt.Fprint(w, "disconnected ")
	}
	fmt.Fprint(w, result.Peer)
	if result.Member != "" {
		fmt.Fprint(w, " at member ", printable.Word(result.Member))
	}
	if result.Forgotten {
		fmt.Fprint(w, " and removed it from the peer book")
	}
	if !result.Until.IsZero() {
		fmt.Fprint(w, ", refused until ", result.Until.Format(time.RFC3339))
	}
	fmt.Fprintln(w)
	switch {
	case !result.Inbound, !result.Until.IsZero():
	case result.Verified:
		fmt.Fprintf(w, "it has dialled this node and may do so again: `node revoke %s` prevents that\n", result.PublicKey)
	default:
		fmt.Fprintln(w, "any node can claim this identity: `node revoke` would shut out the owner of the key")
	}
}

// notConnectedText describes the effect on a peer without a connection. With --for, the answer does not tell whether
// another member was connected to it.
func notConnectedText(result control.Disconnected) string {
	switch {
	case !result.Until.IsZero():
		return result.Peer + " is refused until " + result.Until.Format(time.RFC3339)
	case result.Forgotten:
		return result.Peer + " was not connected, and is removed from the peer book"
	default:
		return result.Peer + " was not connected, and is no longer redialled"
	}
}
