package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// pingResult is the result of a series of pings. The times are 0 if no ping was answered.
type pingResult struct {
	Peer     string  `json:"peer"`
	Sent     int     `json:"sent"`
	Received int     `json:"received"`
	MinMs    float64 `json:"minMs"`
	AvgMs    float64 `json:"avgMs"`
	MaxMs    float64 `json:"maxMs"`
}

func (r *pingResult) add(ms float64) {
	r.AvgMs = (r.AvgMs*float64(r.Received) + ms) / float64(r.Received+1)
	r.MaxMs = max(r.MaxMs, ms)
	if r.Received == 0 || ms < r.MinMs {
		r.MinMs = ms
	}
	r.Received++
}

// maxPings is the largest --count.
const maxPings = 1_000_000_000

func (a *app) pingCommand() *cobra.Command {
	times, interval, timeout := 4, span{time.Second}, span{10 * time.Second}
	count := checked{text: "4", kind: "int", set: func(text string) (err error) {
		times, err = settings.ParseCount(text, 1, maxPings)
		return err
	}}
	cmd := &cobra.Command{
		Use:   "ping PEER",
		Short: "Measure round trips to a peer",
		Long: "Measure round trips to a connected peer. Exit status 5 if no ping is answered; peers of older versions may\n" +
			"answer none. Ctrl-C ends the series early and prints its summary.\n\n" + peerHelp,
		Args:              arguments(1, 1, "PEER"),
		ValidArgsFunction: a.completePeer,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			ctx, stop := a.untilSignal(cmd.Context())
			defer stop()
			p := pinger{app: a, settings: s, client: client, peer: args[0], interval: interval.Duration, timeout: timeout}
			if err := p.run(ctx, times); err != nil {
				return explain(err, s.DataDir, "ping "+printable.Word(args[0]))
			}
			return nil
		},
	}
	cmd.Flags().Var(&count, "count", "how many pings to send")
	cmd.Flags().Var(&interval, "interval", "time between two pings")
	cmd.Flags().Var(&timeout, "timeout", "how long to wait for each answer")
	return cmd
}

// pinger is one series of pings.
type pinger struct {
	*app
	settings *settings.Settings
	client   *control.Client
	peer     string
	interval time.Duration
	timeout  span
}

// run sends count pings, or fewer if ctx ends, and prints the summary.
func (p *pinger) run(ctx context.Context, count int) error {
	meant, err := p.client.Resolve(ctx, control.ResolveRequest{Peer: p.peer})
	if err != nil {
		return err
	}
	result := pingResult{Peer: meant.Peer}
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	var lost error
	for result.Sent < count && p.due(ctx, ticker, result.Sent) {
		trip, err := p.client.Ping(ctx, control.PingRequest{Peer: meant.Peer, TimeoutMs: p.timeout.milliseconds()})
		result.Sent++
		switch {
		case err == nil:
			result.add(trip.Ms)
			p.say("%d: %.3f ms", result.Sent, trip.Ms)
		case ctx.Err() != nil:
			lost = cmp.Or(lost, errUnanswered)
		case isTimeout(err) || result.Received > 0:
			lost = err
			p.say("%d: lost: %s", result.Sent, printable.Line(err.Error()))
		default:
			return err // the peer is not connected
		}
	}
	if err := p.summarize(result); err != nil || result.Received > 0 {
		return err
	}
	return lost
}

// errUnanswered is the result of a series that was interrupted before the first answer.
var errUnanswered error = &control.Error{Code: control.CodeTimeout, Message: "no answer before it was interrupted"}

// due blocks until the next ping is due. It returns false if ctx has ended or the output cannot be written.
func (p *pinger) due(ctx context.Context, ticker *time.Ticker, sent int) bool {
	if sent == 0 || p.out.failure != nil {
		return sent == 0
	}
	select {
	case <-ticker.C:
		return ctx.Err() == nil // both channels may be ready
	case <-ctx.Done():
		return false
	}
}

func isTimeout(err error) bool {
	var reported *control.Error
	return errors.As(err, &reported) && reported.Code == control.CodeTimeout
}

// say prints a line of the text output.
func (p *pinger) say(format string, args ...any) {
	if p.settings.Output == settings.OutputText {
		fmt.Fprintf(p.out, "ping %s "+format+"\n", append([]any{printable.Word(p.peer)}, args...)...)
	}
}

func (p *pinger) summarize(r pingResult) error {
	return p.print(p.settings, r, func(w io.Writer) {
		fmt.Fprintf(w, "%d sent, %d received", r.Sent, r.Received)
		if r.Received > 0 {
			fmt.Fprintf(w, ", min/avg/max %.3f/%.3f/%.3f ms", r.MinMs, r.AvgMs, r.MaxMs)
		}
		fmt.Fprintln(w)
	})
}
