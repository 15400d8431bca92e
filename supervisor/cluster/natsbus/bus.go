package natsbus

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

const (
	closeWithin   = time.Second     // for the messages that wait at Close
	maxUnhandled  = 64 << 20        // bytes of one subscription that wait for its handler; further ones are dropped
	clientPing    = 2 * time.Second // of the connection to NATS; it is lost after clientMisses unanswered ones
	clientMisses  = 2
	connectWithin = 2 * time.Second // for one attempt, name resolution included
	retryWait     = 50 * time.Millisecond
	flushWithin   = 10 * time.Second // for one write to NATS
	rejoinWithin  = 2 * time.Second  // for the others, after a new connection to NATS
)

// Bus implements cluster.Bus. Safe for concurrent use.
type Bus struct {
	client *nats.Conn
	outbox *outbox
	sealed *sealed // nil: routes are encrypted, and bodies are not
	log    *actors.LimitedLogger
	server *embedded // nil: NATS runs elsewhere

	onDrop       atomic.Pointer[func(actors.Counter)]
	maxUnhandled int // bytes
	reconnected  atomic.Pointer[time.Time]
}

var (
	_ cluster.Bus     = (*Bus)(nil)
	_ cluster.Dropper = (*Bus)(nil)
)

// connect returns a bus whose client has these options besides the common ones.
func connect(o nats.Options, nodeID string, seal *sealer, log *actors.LimitedLogger) (*Bus, error) {
	b := &Bus{log: log, maxUnhandled: maxUnhandled}
	b.outbox = &outbox{write: b.write}
	o.Name = "go-p2p"
	o.AllowReconnect, o.MaxReconnect = true, -1
	o.ReconnectBufSize = -1       // old messages are of no use
	o.IgnoreAuthErrorAbort = true // wrong credentials can be corrected there
	o.Timeout, o.FlusherTimeout = connectWithin, flushWithin
	o.PingInterval, o.MaxPingsOut = clientPing, clientMisses
	o.SubChanLen, o.NoCallbacksAfterClientClose = nats.DefaultMaxChanLen, true
	o.InboxPrefix = "p2p." + nodeID + ".reply"
	o.AsyncErrorCB = func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrSlowConsumer) {
			log.Warn("messages of other members were dropped: this member does not keep up")
			return
		}
		log.Warn("NATS reports an error", "error", err)
	}
	reconnected := o.ReconnectedCB
	o.ReconnectedCB = func(c *nats.Conn) {
		now := time.Now()
		b.reconnected.Store(&now)
		if reconnected != nil {
			reconnected(c)
		}
	}
	client, err := o.Connect()
	if err != nil {
		return nil, err
	}
	b.client = client
	if seal == nil {
		return b, nil
	}
	b.sealed = newSealed(b, seal, "p2p."+nodeID+".start.")
	if err := b.sealed.listen(); err != nil {
		client.Close()
		return nil, err
	}
	return b, nil
}

// Publish implements cluster.Bus. Errors: ErrFull, ErrClosed. A message is lost while there is no connection to NATS.
func (b *Bus) Publish(subject string, body []byte) error {
	return b.outbox.add(outgoing{subject: subject, purpose: subject, body: body})
}

// write sends a message of the outbox, or ends a subscription.
func (b *Bus) write(m outgoing) {
	if m.end != nil {
		m.end()
		return
	}
	body := m.body
	if b.sealed != nil {
		body = b.sealed.sealer.seal(m.purpose, body)
	}
	err := b.client.Publish(m.subject, body)
	if err != nil && b.client.IsConnected() { // otherwise the disconnection is logged
		b.log.Warn("a message to other members was not sent", "error", err)
	}
}

// Request implements cluster.Bus. Other errors than those of the interface: of a body that is too long for NATS.
func (b *Bus) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if !b.client.IsConnected() {
		return nil, cluster.ErrDetached
	}
	if b.sealed != nil {
		answer, _, _, err := b.sealed.request(ctx, subject, body)
		return answer, err
	}
	return b.exchange(ctx, subject, body)
}

// exchange sends the bytes of a request and returns those of the answer.
func (b *Bus) exchange(ctx context.Context, subject string, body []byte) ([]byte, error) {
	msg, err := b.client.RequestWithContext(ctx, subject, body)
	switch {
	case err == nil:
		return msg.Data, nil
	case errors.Is(err, nats.ErrNoResponders) && b.attached(ctx):
		return nil, cluster.ErrNoResponders
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded),
		errors.Is(err, nats.ErrConnectionReconnecting):
		return nil, cluster.ErrDetached
	case errors.Is(err, nats.ErrDisconnected), errors.Is(err, nats.ErrConnectionClosed): // it may have been delivered
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, err
	}
}

// attached reports whether the NATS server that has found no subscription is connected to all other members. After a
// new connection to NATS elsewhere, the others need a moment to return there, too.
func (b *Bus) attached(ctx context.Context) bool {
	at := b.reconnected.Load()
	return (at == nil || time.Since(*at) > rejoinWithin) && (b.server == nil || b.server.routes.complete(ctx))
}

// MaxBody implements cluster.Bus. Before the first connection to NATS it is by the default of NATS, 1 MiB.
func (b *Bus) MaxBody() int {
	longest := int(b.client.MaxPayload())
	if longest <= 0 {
		longest = minPayload
	}
	if b.sealed != nil {
		longest -= sealHeader + chacha20poly1305.Overhead
	}
	return longest
}

// Subscribe implements cluster.Bus. Members elsewhere notice the subscription a moment later. It ends after the
// messages that were published before cancel: other members take one that ends its subscriptions without a goodbye for
// killed.
func (b *Bus) Subscribe(subject string, handle func(cluster.Delivery)) (cancel func(), err error) {
	receive, ended := func(m *nats.Msg) {
		handle(cluster.Delivery{Body: m.Data, Respond: b.responder(m.Reply, m.Reply)})
	}, func() {}
	if b.sealed != nil {
		receive, ended = b.sealed.receiver(handle)
	}
	unhandled := 0
	sub, err := b.client.Subscribe(subject, func(m *nats.Msg) {
		unhandled = b.countUnhandled(m.Sub, unhandled)
		receive(m)
	})
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(-1, b.maxUnhandled); err != nil {
		return nil, err
	}
	end := func() {
		_ = sub.Unsubscribe() // the only error: the bus is closed
		ended()
	}
	return func() {
		if b.outbox.add(outgoing{end: end}) != nil {
			end()
		}
	}, nil
}

// countUnhandled counts the messages that a subscription has dropped since the last call, which returned before. Those
// that waited when one was dropped follow it, so that none stays uncounted.
func (b *Bus) countUnhandled(sub *nats.Subscription, before int) (all int) {
	all, err := sub.Dropped()
	if err != nil { // the subscription has ended
		return before
	}
	for range all - before {
		b.dropped(actors.ClusterDroppedUnhandled)
	}
	return all
}

// responder returns the function that answers a request, or nil if no answer is wanted.
func (b *Bus) responder(reply, purpose string) func([]byte) {
	if reply == "" {
		return nil
	}
	return func(body []byte) {
		if err := b.outbox.add(outgoing{subject: reply, purpose: purpose, body: body}); err != nil {
			b.log.Warn("an answer to another member was not sent", "error", err)
		}
	}
}

func (b *Bus) refused(err error) {
	b.dropped(actors.ClusterDroppedMalformed)
	b.warnRefused(err)
}

func (b *Bus) warnRefused(err error) {
	b.log.Warn("a message from NATS was refused: use one identity and one --cluster-secret in all members", "cause", err)
}

// OnDrop implements cluster.Dropper.
func (b *Bus) OnDrop(count func(actors.Counter)) { b.onDrop.Store(&count) }

func (b *Bus) dropped(reason actors.Counter) {
	if count := b.onDrop.Load(); count != nil {
		(*count)(reason)
	}
}

// Address returns the address at which this process listens for other members, or "" if NATS runs elsewhere.
func (b *Bus) Address() string {
	if b.server == nil {
		return ""
	}
	return b.server.gate.address().String()
}

// Close sends the messages that wait, within two seconds, and closes the connections to the other members.
func (b *Bus) Close() {
	if b.sealed != nil {
		b.sealed.close()
	}
	b.outbox.close(closeWithin)
	if b.client.IsConnected() {
		_ = b.client.FlushTimeout(closeWithin) // otherwise they are lost, as in any disconnection
	}
	b.client.Close()
	if b.server != nil {
		b.server.stop()
	}
}
