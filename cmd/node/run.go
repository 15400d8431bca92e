package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/service"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/spf13/cobra"
)

// sameSignal is how soon after the first a second signal is still the same wish: `timeout` signals the process and
// then its group, and a finger bounces on Ctrl-C.
const sameSignal = 500 * time.Millisecond

var (
	errForced = errors.New("stopped at once by a second signal: connections were not closed properly")
	errOutput = errors.New("standard output is closed: the node has stopped, start it with an output that stays open")
)

func (a *app) runCommand() *cobra.Command {
	var fromInput bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Start a node",
		Long: `Start a node and run until SIGINT or SIGTERM, then tell all peers and exit with 0. A second
signal, half a second later or more, exits at once with 1. SIGHUP makes it read its settings
file again, as 'node reload' does. Events appear on standard output, logs on standard error.

With --stdin each line of standard input is a message to send:

  {"to": PEER, "type": "chat", "payload": {"any": "JSON"}, "replyTo": ID}

Only to (left out for a broadcast), type (default chat), payload (default null) and replyTo
may be there. A line that cannot be used is an error line and changes nothing else. The end
of the input does not end the node.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			read := func() (*settings.Settings, error) { return a.nodeSettings(cmd) }
			return a.runNode(read, fromInput)
		},
	}
	settings.AddFlags(cmd.Flags(), settings.ScopeNode, a.options(nil))
	cmd.Flags().BoolVar(&fromInput, "stdin", false, "send the messages that the lines of standard input describe")
	return cmd
}

// runNode runs a node from its start to its end.
func (a *app) runNode(read func() (*settings.Settings, error), fromInput bool) error {
	s, err := read()
	if err != nil {
		return err
	}
	received, _ := a.signals() // for good: after the last line a signal must not kill what ends by itself
	n, manager, err := a.startService(s, read)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n.warn(manager.Ready(n.listening().text()))
	go manager.Watch(ctx, n.alive)
	if fromInput {
		lines := n.lineReader(a.stderr)
		go lines.run(ctx, a.stdin) // a read of standard input cannot be interrupted: it may outlive the node
	}
	reason, failure := n.untilItEnds(ctx, received)
	asked := time.Now()
	cancel()
	n.warn(manager.Stopping())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.stop(reason)
	}()
	for {
		select {
		case <-done:
			return failure
		case s := <-received:
			if s != syscall.SIGHUP && (failure != nil || time.Since(asked) > sameSignal) {
				return errForced
			}
		}
	}
}

// startService starts a node with what the service manager, if there is one, has prepared for it.
func (a *app) startService(s *settings.Settings, read func() (*settings.Settings, error)) (*node, *service.Manager, error) {
	var manager *service.Manager
	var err error
	if a.manager != nil {
		if manager, err = a.manager(); err != nil {
			return nil, nil, err
		}
	}
	socket, err := manager.Listener()
	if err != nil {
		return nil, nil, err
	}
	n, err := a.start(s, read, socket)
	if err != nil && socket != nil {
		err = errors.Join(err, socket.Close())
	}
	return n, manager, err
}

// alive asks the registry, through which every connection comes and goes, and the control socket, through which every
// command comes.
func (n *node) alive(ctx context.Context) error {
	if !n.control.Serving() {
		return errors.New("the control socket has ended")
	}
	_, err := n.Status(ctx)
	return err
}

func (n *node) warn(err error) {
	if err != nil {
		n.log.Warn("service", "error", err)
	}
}

// untilItEnds waits for what ends a node and says what that is. SIGHUP does not: it makes the node read its settings.
func (n *node) untilItEnds(ctx context.Context, received <-chan os.Signal) (reason string, failure error) {
	for {
		select {
		case s := <-received:
			if s != syscall.SIGHUP {
				return signalName(s), nil
			}
			n.reloadBySignal(ctx)
		case <-n.events.broken:
			return "standard output is closed", errOutput
		case err := <-n.deaf:
			return "listening ended", fmt.Errorf("listening ended: %w: the node has stopped, start it again", err)
		}
	}
}

func signalName(s os.Signal) string {
	switch s {
	case os.Interrupt:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	default:
		return fmt.Sprint(s)
	}
}
