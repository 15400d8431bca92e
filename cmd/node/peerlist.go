package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// watchEvery is the time between two lists of `node peers --watch`.
const watchEvery = time.Second

// peerList selects and sorts the peers of `node peers`.
type peerList struct {
	connected bool   // only those with a verified connection
	role      string // empty: any
	sort      string // name, rtt or seen; empty: by ID
	member    string // of a node that several processes share; empty: all
}

// of returns the selected peers, sorted, never nil.
func (l peerList) of(all []output.Peer) []output.Peer {
	list := []output.Peer{}
	for _, p := range all {
		if (!l.connected || p.State == output.StateConnected) && (l.role == "" || string(p.Role) == l.role) {
			list = append(list, p)
		}
	}
	if l.sort != "" {
		slices.SortStableFunc(list, l.compare)
	}
	return list
}

// compare sorts by name without case, by round trip with unmeasured ones last, or by last seen with the latest first.
func (l peerList) compare(a, b output.Peer) int {
	switch l.sort {
	case "name":
		unnamed := cmp.Compare(word(a.Label() == ""), word(b.Label() == ""))
		return cmp.Or(unnamed, strings.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label())))
	case "rtt":
		return cmp.Or(cmp.Compare(word(a.RTTMs <= 0), word(b.RTTMs <= 0)), cmp.Compare(a.RTTMs, b.RTTMs))
	default:
		return b.LastSeen.Compare(a.LastSeen)
	}
}

// word returns 1 for true, 0 for false.
func word(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

func (a *app) peersCommand() *cobra.Command {
	var list peerList
	var watch bool
	one := func(into *string, values ...string) *checked {
		return &checked{kind: "text", set: func(text string) error {
			if *into = text; !slices.Contains(values, text) {
				return fmt.Errorf("must be %s or %s", strings.Join(values[:len(values)-1], ", "), values[len(values)-1])
			}
			return nil
		}}
	}
	roles, orders := settings.Values("role"), []string{"name", "rtt", "seen"}
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "Print the peers that the running node knows, and the addresses that it keeps connected",
		Long: "Print every peer that is known, configured or connected, with its state: connected, unverified, dialling,\n" +
			"waiting (for the next dial) or away. A configured address at which no peer has answered has a line without an ID.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			return explain(a.printPeers(cmd.Context(), s, client, list, watch), s.DataDir, cmd.Name())
		},
	}
	cmd.Flags().BoolVar(&list.connected, "connected", false, "only peers with a verified connection")
	cmd.Flags().Var(one(&list.role, roles...), "role", "only peers of this `role`: controller, worker or dual")
	cmd.Flags().Var(one(&list.sort, orders...), "sort", "sort by `key`: name, rtt or seen (default: node ID)")
	a.memberFlag(cmd, &list.member)
	cmd.Flags().BoolVar(&watch, "watch", false, "print the list every second until interrupted; JSON: one array per line")
	for name, values := range map[string][]string{"role": roles, "sort": orders} {
		offer := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
		_ = cmd.RegisterFlagCompletionFunc(name, offer) // fails only for a flag that does not exist
	}
	return cmd
}

// printPeers prints the list once, or every second until a signal.
func (a *app) printPeers(
	ctx context.Context, s *settings.Settings, client *control.Client, list peerList, watch bool,
) error {
	if watch {
		watching, stop := a.untilSignal(ctx)
		defer stop()
		ctx = watching
	}
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for first := true; ; first = false {
		peers, missing, err := client.PeersOf(ctx, list.member)
		if watch && ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = a.print(s, list.of(peers), func(w io.Writer) {
				a.separate(w, watch, first)
				writePeers(w, list.of(peers), a.now())
			})
			a.warnOfMembers(missing)
		}
		if err != nil || !watch {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// separate clears the terminal before a list, or separates it from the previous one by an empty line.
func (a *app) separate(w io.Writer, watch, first bool) {
	switch {
	case !watch:
	case a.terminal():
		fmt.Fprint(w, "\x1b[H\x1b[2J")
	case !first:
		fmt.Fprintln(w)
	}
}
