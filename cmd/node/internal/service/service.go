// Package service is what a node and the service manager that started it say to each other: systemd's notifications,
// watchdog and socket activation. Without a service manager all of it does nothing.
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

// Manager is the service manager; nil: there is none. Safe for concurrent use.
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

// Listener returns the socket that the service manager has opened; nil: none. More than one is an error, since nobody
// could say what the others are for.
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
		if ln != nil { // one that is no stream socket
			found = append(found, ln)
		}
	}
	if len(found) > 1 || len(found) != len(all) {
		for _, ln := range found {
			err = errors.Join(err, ln.Close())
		}
		return nil, errors.Join(fmt.Errorf("the service manager passes %d sockets: the node takes one stream socket", len(all)), err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// Ready says that the node accepts peers, and in a line how it is doing.
func (m *Manager) Ready(status string) error {
	return m.say(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

// Stopping says that the node has begun to stop.
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

// Watch tells the watchdog that the node is well, as often as it wants, for as long as alive says so in time, until ctx
// ends. A node that does not answer is then killed and started again.
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
			_ = m.notify(daemon.SdNotifyWatchdog) // what is not heard counts as silence
		}
		cancel()
	}
}
