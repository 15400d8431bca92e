package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

const (
	kind = wire.MessageType("bench")

	// senders is the number of parallel sends of one connection.
	senders = 16

	probeEvery   = 50 * time.Millisecond
	probeTimeout = 2 * time.Second
	stopTimeout  = 3 * time.Second

	// dedupTTL is short, because without a rate limit the dedup set would fill up within seconds.
	dedupTTL = 2 * time.Second

	// head begins every payload. The time in nanoseconds follows, with 19 digits.
	head       = `{"at":`
	timeDigits = 19
)

// target is the node under load.
type target struct {
	id   string
	node *supervisor.Transport // nil: in another process
	ask  func(context.Context) (map[string]uint64, error)
}

func (t *target) counters(ctx context.Context) (map[string]uint64, error) {
	switch {
	case t.node != nil:
		return t.node.Counters(), nil
	case t.ask != nil:
		return t.ask(ctx)
	default:
		return nil, nil
	}
}

// source is a node that sends over one connection.
type source struct {
	load *load
	node *supervisor.Transport
	conn *supervisor.PeerConnection
}

// connect starts the nodes and opens their connections.
func (l *load) connect(ctx context.Context) error {
	l.target = &target{ask: l.Counters}
	address := l.Target
	if address == "" {
		node, err := l.newNode("target", "127.0.0.1:0")
		if err != nil {
			return err
		}
		l.target.node = node
		node.OnMessage(l.onMessage)
		if err := node.Start(); err != nil {
			return err
		}
		address = node.Addr().String()
	}
	for i := range l.Connections {
		node, err := l.newNode("source"+strconv.Itoa(i), "")
		if err == nil {
			err = node.Start()
		}
		if err != nil {
			return err
		}
		s := &source{load: l, node: node}
		l.sources = append(l.sources, s)
		if s.conn, err = node.ConnectContext(ctx, &supervisor.Peer{Address: address}); err != nil {
			return fmt.Errorf("connection %d of %d: %w", i+1, l.Connections, err)
		}
		l.target.id = s.conn.Peer().ID
	}
	return nil
}

func (l *load) newNode(name, listen string) (*supervisor.Transport, error) {
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	if err != nil {
		return nil, err
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr, cfg.MaxConns, cfg.MaxConnsPerAddress = listen, l.Connections+senders, -1
	cfg.MaxMessageSize = max(cfg.MaxMessageSize, 2*int64(l.Size)+64<<10)
	cfg.QueueBytes = max(cfg.QueueBytes, 2*cfg.MaxMessageSize)
	cfg.InboundBytes = max(cfg.InboundBytes, cfg.MaxMessageSize)
	cfg.Pacing = supervisor.PacingOff // the load may exceed the rate limit
	if l.Limited {
		cfg.Session = supervisor.SessionOff // in a session, records above the limit wait instead of being dropped
	} else {
		cfg.RateRefill, cfg.DedupTTL = 0, dedupTTL
	}
	return supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg)
}

// onMessage is the handler of a target in this process.
func (l *load) onMessage(_ *supervisor.PeerConnection, msg *wire.Message) {
	if msg.Type != kind {
		return
	}
	now := time.Now()
	if digits, ok := bytes.CutPrefix(msg.Payload, []byte(head)); ok && len(digits) > timeDigits {
		if at, err := strconv.ParseInt(string(digits[:timeDigits]), 10, 64); err == nil {
			l.latency.add(now.Sub(time.Unix(0, at)))
		}
	}
	l.delivered.Add(1)
}

// stop stops all nodes, the sources first, so that the target receives their last messages.
func (l *load) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var work sync.WaitGroup
	for _, s := range l.sources {
		work.Go(func() { _ = s.node.StopContext(ctx) }) // their state is discarded
	}
	work.Wait()
	if l.target != nil && l.target.node != nil {
		_ = l.target.node.StopContext(ctx)
	}
}

// start starts the senders. They end with ctx.
func (s *source) start(ctx context.Context, work *sync.WaitGroup) {
	if s.load.target.node == nil {
		work.Go(func() { s.probe(ctx) })
	}
	if s.load.Rate == 0 {
		for range senders {
			work.Go(func() {
				for ctx.Err() == nil {
					s.send(ctx, time.Now())
				}
			})
		}
		return
	}
	due := make(chan time.Time, senders)
	for range senders {
		work.Go(func() {
			for at := range due {
				s.send(ctx, at)
			}
		})
	}
	work.Go(func() { s.pace(ctx, due) })
}

// pace sends the time at which each message is due. Latency counts from this time, so that a stalled target cannot hide
// the messages that it delayed (coordinated omission).
func (s *source) pace(ctx context.Context, due chan<- time.Time) {
	defer close(due)
	gap := time.Duration(float64(time.Second) * float64(s.load.Connections) / s.load.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next := time.Now(); ; next = next.Add(gap) {
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case due <- next:
		}
	}
}

// send sends one message that was due at the given time.
func (s *source) send(ctx context.Context, at time.Time) {
	msg, err := wire.NewMessage(kind, s.node.Identity().ID, s.load.target.id, json.RawMessage(payload(at, s.load.Size)))
	if err == nil {
		err = s.conn.Send(msg) // without ctx, so that the last message is counted
	}
	if err == nil {
		s.load.sent.Add(1)
		return
	}
	s.load.fail(err)
	select { // a closed connection fails immediately: do not spin
	case <-ctx.Done():
	case <-time.After(time.Millisecond):
	}
}

func payload(at time.Time, size int) []byte {
	text := make([]byte, 0, size)
	text = append(text, head...)
	text = strconv.AppendInt(text, at.UnixNano(), 10)
	text = append(text, `,"fill":"`...)
	for len(text) < size-2 {
		text = append(text, 'x')
	}
	return append(text, `"}`...)
}

// probe measures round trips of pings during the load.
func (s *source) probe(ctx context.Context) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		start := time.Now()
		ping := wire.PingPayload{SentAt: start.UnixMilli()}
		msg, err := wire.NewMessage(wire.MsgPing, s.node.Identity().ID, s.load.target.id, ping)
		if err != nil {
			return
		}
		within, cancel := context.WithTimeout(ctx, probeTimeout)
		_, err = s.node.RequestContext(within, s.load.target.id, msg)
		cancel()
		switch {
		case err == nil:
			s.load.latency.add(time.Since(start))
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			s.load.unanswered.Add(1)
		}
	}
}
