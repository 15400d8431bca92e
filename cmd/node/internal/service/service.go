// Package service connects a node to systemd: notifications, watchdog and socket activation. Without a service manager
// its functions do nothing.
package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is the service manager; nil means none. Safe for concurrent use.
type Manager struct {
	notify   func(state string) error
	watchdog time.Duration // 0: off
	open     func() ([]net.Listener, error)
}

// FromEnvironment returns the service manager that the environment names.
func FromEnvironment() (*Manager, error) {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("the service manager's watchdog: %w", err)
	}
	return &Manager{
		notify: func(state string) error {
			_, err := daemon.SdNotify(false, state)
			return err
		},
		watchdog: watchdog,
		open:     activation.Listeners,
	}, nil
}

// Listener returns the stream socket that the service manager passes, or nil if there is none. More than one socket is
// an error, because the node has no use for another.
func (m *Manager) Listener() (net.Listener, error) {
	if m == nil {
		return nil, nil
	}
	all, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("take the socket of the service manager: %w", err)
	}
	var found []net.Listener
	for _, ln := range all {
		if ln != nil { // nil: not a stream socket
			found = append(found, ln)
		}
	}
	if len(found) > 1 || len(found) != len(all) {
		for _, ln := range found {
			err = errors.Join(err, ln.Close())
		}
		refused := fmt.Errorf("the service manager passes %d sockets: the node takes one stream socket", len(all))
		return nil, errors.Join(refused, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// Ready reports that the node accepts peers, with a status line.
func (m *Manager) Ready(status string) error {
	return m.say(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

// Stopping reports that the node has begun to stop.
func (m *Manager) Stopping() error { return m.say(daemon.SdNotifyStopping) }

func (m *Manager) say(state string) error {
	if m == nil {
		return nil
	}
	if err := m.notify(state); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}

// Watch calls alive twice per watchdog interval until ctx ends, and notifies the watchdog each time that alive returns
// nil in time. The service manager kills and restarts a node without notifications.
func (m *Manager) Watch(ctx context.Context, alive func(context.Context) error) {
	if m == nil || m.watchdog <= 0 {
		return
	}
	every := m.watchdog / 2
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		within, cancel := context.WithTimeout(ctx, every)
		if alive(within) == nil {
			_ = m.notify(daemon.SdNotifyWatchdog) // a lost notification counts as none
		}
		cancel()
	}
}
