package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/spf13/cobra"
)

const peerHelp = `PEER is an alias (see 'node alias'), a node ID, a prefix of one (8 characters or more), or a name,
in this order. Of several peers with one name, persistent, configured and allowlisted ones win, then the one known
longest.`

func (a *app) sendCommand() *cobra.Command {
	var kind, replyTo string
	cmd := &cobra.Command{
		Use:   "send PEER [PAYLOAD]",
		Short: "Send one message to a peer and print its id",
		Long: "Send one message to a connected peer and print the message's id.\n\n" +
			peerHelp + "\n\n" + payloadHelp,
		Args:              arguments(1, 2, "PEER"),
		ValidArgsFunction: a.completePeer,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			payload, err := a.payload(args[1:])
			if err != nil {
				return err
			}
			sent, err := client.Send(cmd.Context(), control.MessageRequest{
				Peer: args[0], Type: kind, Payload: payload, ReplyTo: replyTo,
			})
			if err != nil {
				return explain(err, s.DataDir, "send to "+printable.Word(args[0]))
			}
			return a.print(s, sent, func(w io.Writer) { fmt.Fprintln(w, sent.ID) })
		},
	}
	addType(cmd, &kind)
	cmd.Flags().StringVar(&replyTo, "reply-to", "", "`id` of the message that this one answers")
	return cmd
}

func addType(cmd *cobra.Command, kind *string) {
	cmd.Flags().StringVar(kind, "type", "chat", "`type` of the message")
}

func (a *app) broadcastCommand() *cobra.Command {
	var kind, role string
	cmd := &cobra.Command{
		Use:   "broadcast [PAYLOAD]",
		Short: "Send one message to every connected peer, or to those of one role",
		Long: "Send one message to every connected peer; print its id, the number of peers that took it, and the\n" +
			"peers that did not. Fails only if there are peers and none took it.\n\n" + payloadHelp,
		Args: arguments(0, 1, "PAYLOAD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			if _, err := crypto.ParseRole(role); err != nil && role != "" {
				return badUsage(cmd, "--role %s: must be controller, worker or dual", printable.Cut(printable.Word(role), 80))
			}
			payload, err := a.payload(args)
			if err != nil {
				return err
			}
			result, err := client.Broadcast(cmd.Context(), control.BroadcastRequest{Type: kind, Payload: payload, Role: role})
			if err != nil {
				return explain(err, s.DataDir, "broadcast")
			}
			if err := a.print(s, result, func(w io.Writer) { writeBroadcast(w, result) }); err != nil {
				return err
			}
			if result.Sent == 0 && len(result.Failed) > 0 {
				return fmt.Errorf("broadcast: none of the %d connected peers took the message, the first because: %s",
					len(result.Failed), result.Failed[0].Error)
			}
			return nil
		},
	}
	addType(cmd, &kind)
	cmd.Flags().StringVar(&role, "role", "", "only to peers of this `role`: controller, worker or dual")
	offer := cobra.FixedCompletions(settings.Values("role"), cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("role", offer) // fails only without the flag
	return cmd
}

func writeBroadcast(w io.Writer, result control.Broadcasted) {
	fmt.Fprintln(w, result.ID)
	fmt.Fprintf(w, "sent to %d %s\n", result.Sent, plural(result.Sent, "peer", "peers"))
	for _, failed := range result.Failed {
		fmt.Fprintf(w, "not to %s: %s\n", printable.Word(failed.Peer), printable.Line(failed.Error))
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (a *app) requestCommand() *cobra.Command {
	var kind string
	timeout := span{10 * time.Second}
	cmd := &cobra.Command{
		Use:   "request PEER [PAYLOAD]",
		Short: "Send a message, wait for the reply and print it",
		Long: "Send a message and wait for the reply: its replyTo is the message's id. Prints the payload of the\n" +
			"reply, or with --output json its envelope. A reply of type error ends the command with exit status 1 and the\n" +
			"text of the error.\n\n" + peerHelp + "\n\n" + payloadHelp,
		Args:              arguments(1, 2, "PEER"),
		ValidArgsFunction: a.completePeer,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			payload, err := a.payload(args[1:])
			if err != nil {
				return err
			}
			answer, err := client.Request(cmd.Context(), control.MessageRequest{
				Peer: args[0], Type: kind, Payload: payload, TimeoutMs: timeout.milliseconds(),
			})
			if err != nil {
				return explain(err, s.DataDir, "request to "+printable.Word(args[0]))
			}
			var envelope struct{ Payload json.RawMessage }
			if err := json.Unmarshal(answer, &envelope); err != nil {
				return fmt.Errorf("request to %s: read the answer: %w", printable.Word(args[0]), err)
			}
			return a.print(s, answer, func(w io.Writer) { fmt.Fprintln(w, printable.JSON(envelope.Payload)) })
		},
	}
	addType(cmd, &kind)
	cmd.Flags().Var(&timeout, "timeout", "how long to wait for the reply")
	return cmd
}

// span is a duration above 0 as a flag.
type span struct{ time.Duration }

func (s *span) Type() string { return "duration" }

// String returns "" for 0, which no flag accepts, so that the help shows no default.
func (s *span) String() string {
	if s.Duration == 0 {
		return ""
	}
	return settings.FormatDuration(s.Duration)
}

func (s *span) Set(text string) (err error) {
	s.Duration, err = settings.ParseDuration(text)
	return err
}

// milliseconds rounds up, because 0 means the default.
func (s *span) milliseconds() int64 {
	return (s.Duration + time.Millisecond - 1).Milliseconds()
}
