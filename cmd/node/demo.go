package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/demo"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// demoPause is between two steps on a terminal: long enough to read one, short enough for 30 s in all.
const demoPause = 1200 * time.Millisecond

var errInterrupted = errors.New("interrupted")

func (a *app) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a small mesh that connects, talks, is hurt on purpose and recovers",
		Long: `Show three nodes in this process, with real sockets on 127.0.0.1, that connect and talk. Then
break things one after the other: a duplicate, a flood, a handler that panics, a connection's
actor that panics, a peer that stops reading, an impostor. Each step says what was done, what
was seen and which counters prove it. Nothing outside of this process is touched.

Ends within 30 s, with exit status 0 only when everything that it says was seen. With --keep the
mesh then goes on until SIGINT or SIGTERM.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.settings(cmd, settings.ScopeClient)
			if err != nil {
				return err
			}
			return a.runDemo(cmd.Context(), s, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the mesh running afterwards")
	return cmd
}

func (a *app) runDemo(ctx context.Context, s *settings.Settings, keep bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	received, restore := a.signals()
	defer restore()
	go func() {
		select {
		case <-received:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	o := demo.Options{Out: a.stdout, JSON: s.Output == settings.OutputJSON, Color: a.color()}
	if a.terminal() && !o.JSON {
		o.Pause = demoPause
	}
	if keep {
		o.Keep = func(ctx context.Context, node demo.Node) error { return a.keepDemo(ctx, s, node) }
	}
	if err := demo.Run(ctx, o); err != nil {
		if errors.Is(context.Cause(ctx), errInterrupted) {
			return errInterrupted
		}
		return err
	}
	return nil
}

// keepDemo waits for the signal that ends the mesh.
func (a *app) keepDemo(ctx context.Context, s *settings.Settings, node demo.Node) error {
	if s.Output == settings.OutputText {
		fmt.Fprintf(a.stdout, "\nThe mesh goes on: `node run --listen 127.0.0.1:0 --peer %s` joins it, Ctrl-C ends it.\n", node.Addr())
	}
	<-ctx.Done()
	return nil
}
