package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor/accept"
	"github.com/spf13/cobra"
)

func (a *app) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Make the running node read its settings file again",
		Long: `Make the running node read its settings file again, as SIGHUP does, and take over what can change
while it runs: the mode, limits, timeouts, peers, the files of TLS and the log level. Says what has
changed and what needs a restart. A file that cannot be used changes nothing.

A connection keeps the sizes, timeouts and rates that it began with.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			result, err := client.Reload(cmd.Context())
			if err != nil {
				return explain(err, s.DataDir, "reload")
			}
			return a.print(s, result, func(w io.Writer) { writeReloaded(w, result) })
		},
	}
}

func writeReloaded(w io.Writer, r control.Reloaded) {
	if len(r.Changed) == 0 && len(r.NeedRestart) == 0 {
		fmt.Fprintln(w, "nothing has changed")
	}
	if len(r.Changed) > 0 {
		fmt.Fprintln(w, "changed:", strings.Join(r.Changed, ", "))
	}
	if len(r.NeedRestart) > 0 {
		fmt.Fprintln(w, "needs a restart:", strings.Join(r.NeedRestart, ", "))
	}
}

// Reload implements control.Node: it reads the settings again, from the file and all other places, and puts in force
// what can change. With an error nothing has changed.
func (n *node) Reload(ctx context.Context) (control.Reloaded, error) {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	next, err := n.read()
	if err != nil {
		var wrong *usageError
		if errors.As(err, &wrong) {
			return control.Reloaded{}, &control.Error{Code: control.CodeUsage, Message: err.Error() + ": nothing has changed"}
		}
		return control.Reloaded{}, err
	}
	merged, changed, restart, err := n.settings.Take(next)
	if err != nil {
		return control.Reloaded{}, err
	}
	if err := n.apply(ctx, merged); err != nil {
		return control.Reloaded{}, fmt.Errorf("%w: nothing has changed", err)
	}
	n.settings = merged
	if slices.Contains(changed, "max-conns") {
		n.warnOfDescriptors(accept.Descriptors())
	}
	n.log.Info("settings read again", "changed", changed, "needRestart", restart)
	return control.Reloaded{Changed: append([]string{}, changed...), NeedRestart: append([]string{}, restart...)}, nil
}

// apply puts settings in force. What can fail comes first.
func (n *node) apply(ctx context.Context, s *settings.Settings) error {
	if _, _, err := n.Reconfigure(ctx, s.Transport); err != nil {
		return err
	}
	if s.Auth != n.settings.Auth {
		if err := n.UseAuthMode(s.Auth); err != nil {
			return err
		}
	}
	n.level.Set(s.LogLevel)
	n.handler.SetMaxMessageSize(s.Transport.MaxMessageSize)
	return nil
}

// reloadBySignal is Reload for SIGHUP: nobody waits for an answer, so what comes of it is in the log.
func (n *node) reloadBySignal(ctx context.Context) {
	if _, err := n.Reload(ctx); err != nil {
		n.log.Error("reload", "error", err)
	}
}
