package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/bench"
	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/spf13/cobra"
)

// maxBenchSize is the largest payload of a load: beyond it a message measures the memory and not the node.
const maxBenchSize = 64 << 20

// benchFlags are the flags of the command.
type benchFlags struct {
	size, rate, connections checked
	duration                span
	limited, yes            bool
	parsed                  bench.Options
}

func (a *app) benchCommand() *cobra.Command {
	f := &benchFlags{duration: span{10 * time.Second}}
	f.parsed = bench.Options{Size: 1 << 10, Connections: 1}
	f.size = checked{text: "1KiB", kind: "bytes", set: func(text string) error {
		n, err := settings.ParseBytes(text, bench.MinSize, maxBenchSize)
		f.parsed.Size = int(n)
		return err
	}}
	f.rate = checked{text: "0", kind: "number", set: func(text string) (err error) {
		f.parsed.Rate, err = settings.ParseNumber(text, 0)
		return err
	}}
	f.connections = checked{text: "1", kind: "int", set: func(text string) (err error) {
		f.parsed.Connections, err = settings.ParseCount(text, 1, bench.MaxConnections)
		return err
	}}
	cmd := &cobra.Command{
		Use:   "bench [ADDR]",
		Short: "Put load on a node and report rates, latencies and drops",
		Long: `Put load on the node at ADDR, or without one on a node that it starts itself in this process
over 127.0.0.1. The messages have the type bench; each connection comes from a node with an
identity of its own. A running node has its rate limit, and so drops most of a load: give it
--rate-refill 0 for the time of the measurement.

Latencies of a pair are one way, from Send to the handler; at a given --rate they count from
the moment when the message was due. Those of a running node are round trips of pings beside
the load. The drops of a running node are known when it is the node of --data-dir.

An address outside this host is refused without --yes: a load is an attack to who does not
expect it.`,
		Args: arguments(0, 1, "ADDR"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBench(cmd, args, f) },
	}
	cmd.Flags().Var(&f.size, "size", "payload of a message")
	cmd.Flags().Var(&f.rate, "rate", "messages a second, all connections together; 0 is as many as go")
	cmd.Flags().Var(&f.connections, "connections", "connections")
	cmd.Flags().Var(&f.duration, "duration", "how long")
	cmd.Flags().BoolVar(&f.limited, "limited", false, "leave the rate limit of a pair on")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "allow an ADDR outside this host")
	return cmd
}

func (a *app) runBench(cmd *cobra.Command, args []string, f *benchFlags) error {
	s, err := a.settings(cmd, settings.ScopeClient)
	if err != nil {
		return err
	}
	o := f.parsed
	o.Duration, o.Limited = f.duration.Duration, f.limited
	if len(args) == 1 {
		o.Target = args[0]
		if err := f.checkTarget(cmd, o.Target); err != nil {
			return err
		}
		o.Counters = a.countersOf(cmd.Context(), s, o.Target)
	}
	progress := a.progress()
	if progress != nil {
		o.Progress = func(p bench.Progress) {
			fmt.Fprintf(progress, "\r%3.0f of %.0f s  %d messages  %.0f/s   ", p.Elapsed.Seconds(), p.Of.Seconds(), p.Sent, p.Rate)
		}
	}
	ctx, stop := a.untilSignal(cmd.Context())
	defer stop()
	result, err := bench.Run(ctx, o)
	if progress != nil {
		fmt.Fprint(progress, "\r\x1b[K")
	}
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted) && result.Sent > 0: // what there was is still of use
		err = errInterrupted
	case err != nil:
		return fmt.Errorf("bench: %w", benchFailure(err))
	}
	return errors.Join(a.print(s, result, result.Write), err)
}

// checkTarget refuses what cannot be dialled, and what may belong to somebody else.
func (f *benchFlags) checkTarget(cmd *cobra.Command, address string) error {
	shown := printable.Cut(printable.Word(address), 80)
	if err := settings.CheckAddress(address); err != nil {
		return badUsage(cmd, "ADDR %s: %v", shown, err)
	}
	if f.limited {
		return badUsage(cmd, "--limited is for a pair of its own: the node at ADDR has its settings")
	}
	if f.yes {
		return nil
	}
	here, err := bench.OnThisHost(cmd.Context(), address)
	if err != nil {
		return badUsage(cmd, "ADDR %s: %v", shown, err)
	}
	if !here {
		return &usageError{"ADDR " + shown + " is not on this host: add --yes if its owner expects the load"}
	}
	return nil
}

// benchFailure gives a dial that came to nothing the exit status of one.
func benchFailure(err error) error {
	var about *supervisor.PeerError
	if !errors.As(err, &about) {
		return err
	}
	code := control.CodeRefused
	if errors.Is(err, supervisor.ErrHandshakeTimeout) {
		code = control.CodeTimeout
	}
	return &control.Error{Code: code, Message: err.Error() + ": check the address, and whether the node runs and allows strangers (`node auth`)"}
}

// countersOf returns the way to the counters of the node of the data directory, if that is the target; else nil.
func (a *app) countersOf(ctx context.Context, s *settings.Settings, address string) func(context.Context) (map[string]uint64, error) {
	client := control.NewClient(s.DataDir)
	ask := func(ctx context.Context) (output.Status, error) {
		var status output.Status
		raw, err := client.Get(ctx, "status")
		if err == nil {
			err = json.Unmarshal(raw, &status)
		}
		return status, err
	}
	text, _, _ := supervisor.ParsePinnedAddress(address, "/ws") // it was checked
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	status, err := ask(ctx)
	if err != nil {
		return nil // nobody runs there, which is no failure of the load
	}
	if _, port, err := net.SplitHostPort(status.Address); err != nil || port != u.Port() {
		return nil
	}
	return func(ctx context.Context) (map[string]uint64, error) {
		status, err := ask(ctx)
		return status.Counters, err
	}
}

// checked is a flag whose value is looked at when it is typed.
type checked struct {
	text, kind string
	set        func(text string) error
}

func (c *checked) String() string { return c.text }
func (c *checked) Type() string   { return c.kind }

func (c *checked) Set(text string) error {
	c.text = text
	return c.set(text)
}
