package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/admin"
	"github.com/Snider/go-p2p/cmd/node/internal/demo"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// demoPause is the pause between two steps on a terminal. The whole demonstration stays below 30 s.
const demoPause = 1200 * time.Millisecond

var errInterrupted = errors.New("interrupted")

func (a *app) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a small mesh that connects, talks, suffers faults and recovers",
		Long: `Show three nodes in this process, with real sockets on 127.0.0.1, that connect and talk. Then
inject faults: a duplicate, a flood, a handler that panics, a connection's actor that panics,
a peer that stops reading, an impostor. Each step reports the action, the observations and
the counters that prove them. Nothing outside of this process is touched.

Ends within 30 s, with exit status 0 only if every expectation was met. With --keep the mesh
then continues to exchange messages, with a dashboard, until SIGINT or SIGTERM.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.settings(cmd, settings.ScopeClient)
			if err != nil {
				return err
			}
			return a.runDemo(cmd.Context(), s, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the mesh running afterwards, with a dashboard")
	return cmd
}

func (a *app) runDemo(ctx context.Context, s *settings.Settings, keep bool) error {
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	o := demo.Options{Out: a.out, JSON: s.Output == settings.OutputJSON, Color: a.color()}
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

// keepDemo serves a dashboard of the mesh until a signal.
func (a *app) keepDemo(ctx context.Context, s *settings.Settings, node demo.Node) error {
	dashboard, err := demoDashboard(node)
	if err != nil {
		return fmt.Errorf("open the dashboard: %w", err)
	}
	dashboard.Serve()
	if s.Output == settings.OutputText {
		fmt.Fprintf(a.out, "\nThe mesh goes on. Dashboard of alice: %s\n"+
			"`node run --listen 127.0.0.1:0 --peer %s` joins it; Ctrl-C ends it.\n", dashboard.URL(), node.Addr())
	}
	<-ctx.Done()
	within, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return dashboard.Close(within)
}

// demoDashboard listens on the default address of --admin, or on a free port if that is in use.
func demoDashboard(node demo.Node) (*admin.Server, error) {
	config := admin.Config{
		Address: "127.0.0.1:9092", Node: node, Version: version(), Build: thisBuild().labels(),
		Log: slog.New(slog.DiscardHandler),
	}
	dashboard, err := admin.Listen(config)
	if admin.InUse(err) {
		config.Address = "127.0.0.1:0"
		dashboard, err = admin.Listen(config)
	}
	return dashboard, err
}

// untilSignal returns a context that ends with the cause errInterrupted at a signal that would stop a node.
func (a *app) untilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	received, restore := a.signals()
	go func() {
		select {
		case <-received:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		restore()
	}
}
