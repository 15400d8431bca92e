package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/cmd/node/internal/admin"
	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/report"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/datadir"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/accept"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

// closeGrace is the time that commands have to read their answers, and the reader of events to read the last line.
const closeGrace = time.Second

// readSettings reads the settings from all sources.
type readSettings func() (*settings.Settings, error)

// node is a running node with its control socket, admin server and event log.
type node struct {
	*supervisor.Transport // implements most methods of control.Node and lineSender

	read   readSettings // reads the settings again
	socket net.Listener // of the service manager; nil: the node opens one

	reloading sync.Mutex
	settings  *settings.Settings // in force; changed under reloading

	level      slog.LevelVar // of log
	handlesLog slog.Handler  // writes to standard error, and waits for its reader
	lines      *actors.QueuedLog
	log        *slog.Logger // of all but the transport, which has a queue of its own; does not wait

	handler *control.Handler
	book    *supervisor.PeerRegistry
	control *control.Server
	events  *eventLog
	now     func() time.Time // of events
	feed    *feed.Feed

	recent    report.Lines // events other than messages, as JSON
	recentLog report.Lines
	reporting sync.Mutex // held while a report is made

	cluster *membership // nil: the node is alone

	admin   *admin.Server  // nil: off
	timings *admin.Timings // nil: off
	deaf    chan error     // capacity 1: the cause of the end of listening

	readsInput bool // the lines of standard input are sent: the program there may answer messages
}

// start opens peer book, identity, transport, admin server and control socket, in this order, and prints the first
// event.
func (a *app) start(
	s *settings.Settings, read readSettings, socket net.Listener, readsInput bool,
) (n *node, err error) {
	n = &node{
		settings: s, read: read, socket: socket, readsInput: readsInput,
		events: newEventLog(a.stdout, eventFormat(s.Output)), now: a.now, deaf: make(chan error, 1),
	}
	n.level.Set(s.LogLevel)
	n.events.show(s.Events)
	n.feed = n.newFeed()
	n.handlesLog = newLogHandler(s.LogFormat, &n.level, io.MultiWriter(&n.recentLog, a.stderr))
	n.lines = actors.NewQueuedLog(n.handlesLog, nil)
	n.log = slog.New(n.lines)
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w: give another one with --data-dir", err)
	}
	if err := datadir.Check(s.DataDir); err != nil {
		return nil, err
	}
	if n.book, err = supervisor.OpenPeerRegistry(peerBook(s.DataDir), supervisor.KnownPeers(s.KnownPeers)); err != nil {
		if errors.Is(err, supervisor.ErrInUse) {
			return nil, fmt.Errorf("another node is running in %s: stop it, or give another --data-dir",
				printable.Word(s.DataDir))
		}
		return nil, accessible(err)
	}
	if err := n.open(); err != nil {
		n.flushLog()
		return nil, errors.Join(err, n.book.Close())
	}
	return n, nil
}

// open starts the node on its locked data directory.
func (n *node) open() error {
	manager, _, err := openIdentity(n.settings, n.settings.Identity == "")
	if err != nil && n.settings.Identity != "" {
		return &usageError{n.settings.Given("identity") + ": " + err.Error()}
	}
	if err != nil {
		return err
	}
	n.warnOfIdentity(manager.Identity())
	n.warnOfDescriptors(accept.Descriptors())
	if err := n.setAuthMode(); err != nil {
		return err
	}
	if err := n.openTransport(manager); err != nil {
		n.closeCluster()
		return err
	}
	return nil
}

// openTransport connects to the other members, and starts the node.
func (n *node) openTransport(manager *crypto.NodeManager) error {
	member, err := n.openCluster(manager)
	if err != nil {
		return err
	}
	options := append(n.transportOptions(), member...)
	n.Transport, err = supervisor.NewTransport(manager, n.book, n.settings.Transport, options...)
	if err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	n.OnEvent(func(e supervisor.Event) {
		n.admin.Event(e)
		if ended, ok := e.(supervisor.ListenerDown); ok {
			n.deaf <- ended.Err // there is one listener, and it ends once
		}
		if known := eventOf(e, n.Member()); known != nil {
			n.publish(known)
		}
	})
	n.OnMessage(n.onMessage)
	if err := n.openAdmin(); err != nil {
		return err
	}
	if err := n.begin(); err != nil {
		return errors.Join(err, n.closeAdmin())
	}
	return nil
}

// begin opens the control socket and starts the transport.
func (n *node) begin() (err error) {
	n.handler = control.NewHandler(n, n.settings.Transport.MaxMessageSize)
	n.OnAsk(n.handler.Answer)
	n.control, err = control.Listen(n.settings.DataDir, n.settings.ControlGroupID, n.handler, n.log)
	if err != nil {
		return accessible(fmt.Errorf("open the control socket in %s: %w", printable.Word(n.settings.DataDir), err))
	}
	err = n.Start()
	n.control.Serve()
	if err != nil {
		err = fmt.Errorf("start the node: %w", err)
		if errors.Is(err, cluster.ErrName) {
			err = fmt.Errorf("%w with --cluster-name", err)
		} else if advice := listenAdvice(err); advice != "" {
			err = fmt.Errorf("%w: %s", err, advice)
		}
		return errors.Join(err, n.closeControl())
	}
	first, moment := n.listening(), n.now()
	n.remember(first, moment)
	n.events.open(first, moment)
	return nil
}

// ownDescriptors estimates the file descriptors besides connections: files, listening sockets, commands and clients of
// --admin.
const ownDescriptors = 32

// warnOfDescriptors logs a --max-conns that needs more file descriptors than limit; 0: unknown.
func (n *node) warnOfDescriptors(limit int) {
	if most := n.settings.Transport.MaxConns; limit > 0 && most+ownDescriptors > limit {
		n.log.Warn("--max-conns needs more file descriptors than this process may open: "+
			"lower it, or raise the limit (ulimit -n, LimitNOFILE)",
			"maxConns", most, "needs", most+ownDescriptors, "limit", limit)
	}
}

// setAuthMode applies the configured mode without storing it, or else the stored mode.
func (n *node) setAuthMode() error {
	if mode, stored := n.book.StoredAuthMode(); stored {
		n.settings.UseStoredAuth(mode)
	}
	return n.book.UseAuthMode(n.settings.Auth)
}

func (n *node) listening() listening {
	identity := n.Identity()
	first := listening{
		ID: identity.ID, Name: identity.Name, PublicKey: identity.PublicKey,
		URL: n.URL(), Admin: n.adminURL(), Control: n.control.Path(),
	}
	if address := n.Addr(); address != nil {
		first.Address = address.String()
		first.join = joinLine(n.URL(), identity.ID, outboundAddress)
	}
	return first
}

// stop stops the node gracefully within the shutdown timeout and prints the last event.
func (n *node) stop(reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), n.shutdownTimeout())
	defer cancel()
	n.drainBefore(ctx)
	if err := n.StopContext(ctx); err != nil {
		n.log.Warn("shutdown was not complete", "error", err)
	}
	n.closeCluster()
	end, moment := stopped{Reason: reason}, n.now()
	n.endStreams(end, moment)
	if err := n.closeControl(); err != nil {
		n.log.Warn("control socket", "error", err)
	}
	if err := n.closeAdmin(); err != nil {
		n.log.Warn("admin server", "error", err)
	}
	if err := n.book.Close(); err != nil {
		n.log.Error("peer book", "error", err)
	}
	last, cancelLast := context.WithTimeout(context.Background(), closeGrace)
	defer cancelLast()
	n.events.close(last, end, moment)
	n.flushLog()
}

func (n *node) shutdownTimeout() time.Duration { return n.transportConfig().ShutdownTimeout }

// transportConfig returns the transport's settings in force.
func (n *node) transportConfig() supervisor.TransportConfig {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	return n.settings.Transport
}

func (n *node) closeControl() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return n.control.Close(ctx)
}

// Connect implements control.Node.
func (n *node) Connect(ctx context.Context, address string) (control.Connected, error) {
	connection, err := n.ConnectAddress(ctx, address)
	if err != nil {
		return control.Connected{}, err
	}
	peer := connection.Peer()
	return control.Connected{Peer: peer.ID, Name: peer.Name, Address: address}, nil
}

// AuthMode implements control.Node.
func (n *node) AuthMode() (supervisor.AuthMode, bool) {
	_, stored := n.book.StoredAuthMode()
	return n.book.AuthMode(), stored
}

// Version implements control.Node.
func (n *node) Version() string { return thisBuild().Version }

// HasPins implements control.Node.
func (n *node) HasPins() bool { return n.book.Pinned() > 0 }

func (n *node) lineReader(errors io.Writer) *lineReader {
	limits := func() lineLimits {
		t := n.transportConfig()
		return lineLimits{maxMessage: int(t.MaxMessageSize), timeout: t.WriteTimeout}
	}
	return &lineReader{from: n.Identity().ID, node: n, errors: errors, limits: limits}
}

func newLogHandler(format string, level slog.Leveler, out io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: output.LogAttr}
	if format == "json" {
		return slog.NewJSONHandler(out, options)
	}
	return slog.NewTextHandler(out, options)
}

// flushLog waits for the reader of standard error, for closeGrace at most.
func (n *node) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	n.lines.Flush(ctx)
}
