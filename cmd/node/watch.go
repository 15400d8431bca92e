package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// watcher is one run of `node watch`.
type watcher struct {
	*app
	request control.EventsRequest
	count   int           // events to print; 0: no limit
	timeout time.Duration // 0: none
}

func (a *app) watchCommand() *cobra.Command {
	w := watcher{app: a}
	var timeout span
	count := checked{kind: "int", set: func(text string) (err error) {
		w.count, err = settings.ParseCount(text, 1, maxPings)
		return err
	}}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print the events of the running node until interrupted",
		Long: "Print the events of the running node, one line each, until interrupted: from now on, with the payloads of\n" +
			"messages, and with --output json as the same objects that 'node run' prints.\n\n" +
			"With --type print only messages of that type, and the events of --events. With --peer print only events about\n" +
			"that peer. Exit status 0 after --count events or an interrupt, 5 if --timeout ends first.\n\n" +
			"The node does not wait for a slow reader: events that it misses are lost. The next line is then an event 'lost'\n" +
			"with their count, which --count does not count.\n\n" +
			"Of several processes that share a node, only the events of the one that is asked are printed: a line on\n" +
			"standard error names the others. Watch each of them on its own host.\n\n" + peerHelp,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range w.request.Events {
				if !slices.Contains(control.EventNames(), name) {
					return badUsage(cmd, "--events %s: must be one or more of %s", printable.Cut(printable.Word(name), 80),
						strings.Join(control.EventNames(), ", "))
				}
			}
			w.timeout = timeout.Duration
			return w.run(cmd)
		},
	}
	cmd.Flags().StringArrayVar(&w.request.Types, "type", nil, "print messages of this `type`; repeatable")
	cmd.Flags().StringVar(&w.request.Peer, "peer", "", "print events about this `PEER`")
	cmd.Flags().StringSliceVar(&w.request.Events, "events", nil, "print the events of these `names`, separated by commas")
	cmd.Flags().Var(&count, "count", "end after this many events")
	cmd.Flags().Var(&timeout, "timeout", "end after this time with exit status 5")
	offer := cobra.FixedCompletions(control.EventNames(), cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("events", offer) // fails only without the flag
	_ = cmd.RegisterFlagCompletionFunc("peer",
		func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return a.completePeer(cmd, nil, begun)
		})
	return cmd
}

func (w *watcher) run(cmd *cobra.Command) error {
	s, client, err := w.client(cmd)
	if err != nil {
		return err
	}
	ctx, stop := w.untilSignal(cmd.Context())
	defer stop()
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	w.request.Text = s.Output == settings.OutputText
	w.nameOthers(ctx, client)
	seen := 0
	err = client.Events(ctx, w.request, func(name string, line []byte) bool {
		if name != feed.Lost {
			seen++
		}
		fmt.Fprintf(w.out, "%s\n", line)
		return w.out.failure == nil && (w.count == 0 || seen < w.count)
	})
	switch {
	case w.out.failure != nil:
		return w.out.failure
	case errors.Is(context.Cause(ctx), errInterrupted):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return w.timedOut(seen)
	}
	return explain(err, s.DataDir, "watch")
}

// nameOthers says on standard error which members' events are not shown. A node alone has none.
func (w *watcher) nameOthers(ctx context.Context, client *control.Client) {
	nameOtherMembers(ctx, w.stderr, client, "watch", "events")
}

// nameOtherMembers writes a line with the members of which a command shows nothing. A node alone has none.
func nameOtherMembers(ctx context.Context, w io.Writer, client *control.Client, command, what string) {
	var members []output.Member
	raw, err := client.Get(ctx, "members")
	if err != nil || json.Unmarshal(raw, &members) != nil { // it is alone, or the command itself fails, too
		return
	}
	if line := otherMembers(members, command, what); line != "" {
		fmt.Fprintln(w, line)
	}
}

// otherMembers returns the line about the members of which a command shows nothing, or "" if there are none.
func otherMembers(members []output.Member, command, what string) string {
	self, others := "", []string{}
	for _, m := range members {
		if m.Self {
			self = m.Name
		} else {
			others = append(others, m.Name)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return printable.Line(fmt.Sprintf(
		"node: %[1]s: only %[2]s of member %[3]s: run `node %[1]s` on the hosts of %[4]s for theirs",
		command, what, self, strings.Join(others, ", "),
	))
}

func (w *watcher) timedOut(seen int) error {
	of := ""
	if w.count > 0 {
		of = fmt.Sprintf(" of %d", w.count)
	}
	return &control.Error{Code: control.CodeTimeout, Message: fmt.Sprintf(
		"watch: timed out after %s with %d%s events: wait longer with --timeout, or select other events",
		settings.FormatDuration(w.timeout), seen, of,
	)}
}
