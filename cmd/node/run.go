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

// sameSignal is the time within which a second signal repeats the first: `timeout` signals the process and then its
// group, and Ctrl-C may bounce.
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
signal, after half a second or more, exits immediately with 1. SIGHUP makes the node read its
settings file again, as 'node reload' does. Events go to standard output, logs to standard error.

With --stdin each line of standard input is a message to send:

  {"to": PEER, "type": "chat", "payload": {"any": "JSON"}, "replyTo": ID}

The keys are to (absent for a broadcast), type (default chat), payload (default null) and
replyTo. An invalid line causes an error line and nothing else. The end of the input does
not end the node.`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			read := func() (*settings.Settings, error) { return a.nodeSettings(cmd) }
			return a.runNode(read, fromInput)
		},
	}
	a.addSettings(cmd, cmd.Flags(), settings.ScopeNode)
	cmd.Flags().BoolVar(&fromInput, "stdin", false, "send the messages that the lines of standard input describe")
	return cmd
}

// runNode runs a node until it ends.
func (a *app) runNode(read readSettings, fromInput bool) error {
	s, err := read()
	if err != nil {
		return err
	}
	received, _ := a.signals() // never restored: a late signal must not kill the stopping process
	n, manager, err := a.startService(s, read, fromInput)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n.warn(manager.Ready(n.listening().text()))
	go manager.Watch(ctx, n.alive)
	if fromInput {
		lines := n.lineReader(a.stderr)
		go lines.run(ctx, a.stdin) // a read of standard input cannot be cancelled and may outlive the node
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

// startService starts a node, with the socket of the service manager if there is one.
func (a *app) startService(
	s *settings.Settings, read readSettings, readsInput bool,
) (*node, *service.Manager, error) {
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
	n, err := a.start(s, read, socket, readsInput)
	if err != nil && socket != nil {
		err = errors.Join(err, socket.Close())
	}
	return n, manager, err
}

// alive checks the registry and the control socket, for the watchdog.
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

// untilItEnds blocks until a signal, closed standard output or the end of listening, and returns the reason. SIGHUP
// reloads the settings instead.
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
