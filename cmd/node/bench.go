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

// maxBenchSize is the largest payload of a load in bytes. Larger ones would measure the memory, not the node.
const maxBenchSize = 64 << 20

// benchFlags holds the flags of the command.
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
		Long: `Put load on the node at ADDR, or without ADDR on a node in this process over 127.0.0.1. The
messages have the type bench; each connection comes from a node with its own identity. The
rate limit of a running node drops most of a load: start the node with --rate-refill 0 for
the measurement.

Latencies of a pair are one way, from Send to the handler; with --rate they count from the
time when the message was due. For a running node they are round trips of pings during the
load. The drops of a running node are known only if it is the node of --data-dir.

An address outside this host needs --yes: an unexpected load is an attack.`,
		Args: arguments(0, 1, "ADDR"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runBench(cmd, args, f) },
	}
	cmd.Flags().Var(&f.size, "size", "payload of a message")
	cmd.Flags().Var(&f.rate, "rate", "messages a second on all connections together; 0 is no limit")
	cmd.Flags().Var(&f.connections, "connections", "number of connections")
	cmd.Flags().Var(&f.duration, "duration", "duration of the load")
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
			fmt.Fprintf(progress, "\r%3.0f of %.0f s  %d messages  %.0f/s   ",
				p.Elapsed.Seconds(), p.Of.Seconds(), p.Sent, p.Rate)
		}
	}
	ctx, stop := a.untilSignal(cmd.Context())
	defer stop()
	result, err := bench.Run(ctx, o)
	if progress != nil {
		fmt.Fprint(progress, "\r\x1b[K")
	}
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted) && result.Sent > 0: // print the result so far
		err = errInterrupted
	case err != nil:
		return fmt.Errorf("bench: %w", benchFailure(err))
	}
	return errors.Join(a.print(s, result, result.Write), err)
}

// checkTarget refuses invalid addresses, and without --yes addresses outside this host.
func (f *benchFlags) checkTarget(cmd *cobra.Command, address string) error {
	shown := printable.Cut(printable.Word(address), 80)
	if err := settings.CheckAddress(address); err != nil {
		return badUsage(cmd, "ADDR %s: %v", shown, err)
	}
	if f.limited {
		return badUsage(cmd, "--limited applies to a pair in this process: the node at ADDR has its own settings")
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

// benchFailure gives a failed dial the code, and so the exit status, of `node connect`.
func benchFailure(err error) error {
	var about *supervisor.PeerError
	if !errors.As(err, &about) {
		return err
	}
	code := control.CodeRefused
	if errors.Is(err, supervisor.ErrHandshakeTimeout) {
		code = control.CodeTimeout
	}
	const remedy = ": check the address, and whether the node runs and admits every peer (`node auth`)"
	return &control.Error{Code: code, Message: err.Error() + remedy}
}

// countersOf returns a function that reads the counters of the node of the data directory, or nil if that node is not
// the target.
func (a *app) countersOf(
	ctx context.Context, s *settings.Settings, address string,
) func(context.Context) (map[string]uint64, error) {
	client := control.NewClient(s.DataDir)
	ask := func(ctx context.Context) (output.Status, error) {
		var status output.Status
		raw, err := client.Get(ctx, "status")
		if err == nil {
			err = json.Unmarshal(raw, &status)
		}
		return status, err
	}
	text, _, _ := supervisor.ParsePinnedAddress(address, "/ws") // checkTarget has checked it
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	status, err := ask(ctx)
	if err != nil {
		return nil // no node runs there: the load works without counters
	}
	if _, port, err := net.SplitHostPort(status.Address); err != nil || port != u.Port() {
		return nil
	}
	return func(ctx context.Context) (map[string]uint64, error) {
		status, err := ask(ctx)
		return status.Counters, err
	}
}

// checked is a flag that checks its value when it is set.
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
