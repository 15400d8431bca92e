package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/cmd/node/internal/top"
)

func (a *app) topCommand() *cobra.Command {
	interval := span{time.Second}
	var member string
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the running node in the terminal",
		Long: `Watch the running node in the terminal: its traffic, drops by reason, and its peers with
direction, round trip, queue and state.

Keys: up and down select a peer, enter shows its details, d disconnects it, / filters, s sorts by
the next column, r reverses, esc goes back, q quits.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			return a.runTop(cmd, s, &controlFeed{client: client, now: a.now, member: member}, interval.Duration)
		},
	}
	cmd.Flags().Var(&interval, "interval", "time between two samples")
	a.memberFlag(cmd, &member)
	return cmd
}

func (a *app) runTop(cmd *cobra.Command, s *settings.Settings, feed *controlFeed, interval time.Duration) error {
	ctx := cmd.Context()
	first := feed.Sample(ctx)
	switch {
	case first.Err != nil: // before the check for a terminal: without a node every command exits with 3
		return explain(first.Err, s.DataDir, "top")
	case s.Output != settings.OutputText || !a.terminal():
		return badUsage(cmd, "top draws on a terminal: for scripts there are `node status` and `node peers`")
	}
	program := tea.NewProgram(top.New(feed, interval, first), tea.WithContext(ctx),
		tea.WithInput(a.stdin), tea.WithOutput(a.stdout), tea.WithEnvironment(a.environ))
	if _, err := program.Run(); err != nil && !errors.Is(err, tea.ErrInterrupted) {
		return fmt.Errorf("top: %w", err)
	}
	return nil
}

// controlFeed is the node behind a control socket, as a top.Feed.
type controlFeed struct {
	client *control.Client
	now    func() time.Time
	member string // of a node that several processes share; empty: all
}

// Sample implements top.Feed.
func (f *controlFeed) Sample(ctx context.Context) top.Sample {
	s := top.Sample{At: f.now()}
	verb := "status"
	if f.member != "" {
		verb += "?member=" + url.QueryEscape(f.member)
	}
	if s.Err = f.get(ctx, verb, &s.Status); s.Err == nil {
		s.Status.AddMembers()
		s.Peers, s.Missing, s.Err = f.client.PeersOf(ctx, f.member)
	}
	return s
}

func (f *controlFeed) get(ctx context.Context, verb string, into any) error {
	raw, err := f.client.Get(ctx, verb)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// Disconnect implements top.Feed.
func (f *controlFeed) Disconnect(ctx context.Context, peer output.Peer) error {
	request := control.DisconnectRequest{Peer: peer.ID}
	if peer.Claimed() {
		request = control.DisconnectRequest{Connection: peer.Connection}
	}
	_, err := f.client.Disconnect(ctx, request)
	return err
}
