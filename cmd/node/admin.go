package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/Snider/go-p2p/cmd/node/internal/admin"
	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
)

// transportOptions returns the options of the transport. Without --admin there is no observer.
func (n *node) transportOptions() []supervisor.Option {
	options := []supervisor.Option{supervisor.WithLogger(slog.New(n.handlesLog))}
	if n.socket != nil {
		options = append(options, supervisor.WithListener(n.socket))
	}
	if n.settings.Admin != "" {
		n.timings = admin.NewTimings()
		options = append(options, supervisor.WithObserver(n.timings))
	}
	return options
}

// adminConfig returns the configuration of the admin server. Its settings need a restart to change.
func (n *node) adminConfig() admin.Config {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	c := admin.Config{
		Address: n.settings.Admin, Node: n, Timings: n.timings, Version: version(), Build: thisBuild().labels(),
		PerPeer: n.settings.MetricsPerPeer, Pprof: n.settings.AdminPprof, Log: n.log,
	}
	if n.cluster != nil {
		c.Members = shownMembers{n}
	}
	return c
}

// shownMembers are the members on the dashboard of this one.
type shownMembers struct{ *node }

// List implements admin.Members.
func (m shownMembers) List() []output.Member {
	list, _ := m.Members() // fails only without a cluster
	return list
}

// Overview implements admin.Members.
func (m shownMembers) Overview(ctx context.Context, member, after string, limit int) (output.Overview, error) {
	return control.AskOverview(ctx, m.Transport, member, after, limit)
}

// openAdmin starts the admin server. It serves from before the start of the node until after its stop, so that
// /healthz always answers. If the default address is in use, as with a second node on the host, the node runs without
// the server.
func (n *node) openAdmin() (err error) {
	if n.settings.Admin == "" {
		return nil
	}
	n.admin, err = admin.Listen(n.adminConfig())
	switch {
	case err == nil:
	case admin.InUse(err) && n.settings.Source("admin") == settings.FromDefault:
		n.admin = nil
		n.log.Warn("no dashboard and no metrics: the default address is in use, by another node perhaps; "+
			"choose one with --admin", "admin", n.settings.Admin)
		return nil
	default:
		return fmt.Errorf(`start --admin: %w: choose another address, or none with --admin ""`, err)
	}
	if n.admin.Public() {
		n.log.Warn("other hosts can reach the dashboard and the metrics without a password", "admin", n.settings.Admin,
			"profiles", n.settings.AdminPprof)
	}
	n.admin.Serve()
	return nil
}

// adminURL returns the URL of the dashboard, or "" if it is off.
func (n *node) adminURL() string {
	if n.admin == nil {
		return ""
	}
	return n.admin.URL()
}

func (n *node) closeAdmin() error {
	if n.admin == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return n.admin.Close(ctx)
}
