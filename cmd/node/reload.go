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
		Long: `Make the running node read its settings file again, as SIGHUP does, and apply the settings that can
change without a restart: the mode, limits, timeouts, peers, TLS files and the log level. Prints the
settings that changed and those that need a restart. An invalid file changes nothing.

An open connection keeps its sizes, timeouts and rates.`,
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

// Reload implements control.Node: it reads the settings from all sources again and applies those that can change
// without a restart. On an error nothing has changed.
func (n *node) Reload(ctx context.Context) (control.Reloaded, error) {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	next, err := n.read()
	if err != nil {
		var wrong *usageError
		if errors.As(err, &wrong) {
			return control.Reloaded{}, &control.Error{
				Code: control.CodeUsage, Message: err.Error() + ": nothing has changed",
			}
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

// apply puts settings in force. The steps that can fail come first, so that an error leaves no partial change.
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
	n.events.show(s.Events)
	n.handler.SetMaxMessageSize(s.Transport.MaxMessageSize)
	return nil
}

// reloadBySignal reloads at a SIGHUP and logs the result.
func (n *node) reloadBySignal(ctx context.Context) {
	if _, err := n.Reload(ctx); err != nil {
		n.log.Error("reload", "error", err)
	}
}
