package supervisor

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// needsRestart lists the fields of TransportConfig that keep their value until a restart: the listener is bound and
// wrapped once, and the dedup set measures the age of its entries in fractions of the two times.
var needsRestart = []string{"ListenAddr", "TrustedProxies", "WSPath", "DedupTTL", "MaxClockSkew"}

// Reconfigure applies the fields of cfg that differ from the present ones and can change while the transport runs. It
// applies all of them, or none if it returns an error. Once it has begun to apply them, the end of ctx does not stop
// it. changed names the fields that are in force now, restart those that keep their value until a restart. Each field
// of TransportConfig that differs is in one of the two.
//
// An open connection keeps the sizes, timeouts and rates that it started with. New ones apply to connections from their
// accept or dial on. The connections of one peer share a token bucket: when another one opens, the bucket takes the
// rate in force, and spent tokens stay spent. The dedup set grows with the limits at once. It shrinks when no
// connection with larger limits is open and the set is at most half full by the new size. MaxConns, MaxConnsPerAddress
// and ReservedConns apply to new connections; open ones are not closed. Session and SessionPQ apply to new connections
// too, but SessionRequire closes open connections without a session. A peer whose address is no longer in Peers
// stays connected until its connection ends, and is dialled again only if ConnectAddress has asked for it. The TLS
// files may change, but TLS itself cannot be switched on or off.
func (t *Transport) Reconfigure(ctx context.Context, cfg TransportConfig) (changed, restart []string, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	t.reconfiguring.Lock()
	defer t.reconfiguring.Unlock()
	if err := checkContext(ctx); err != nil {
		return nil, nil, err
	}
	old := t.live.Load()
	next, changed, restart := merge(*old, cfg.withDefaults())
	if len(changed) == 0 {
		return nil, restart, nil
	}
	if _, err := dialTLS(next.TLSCAPath); err != nil {
		return nil, nil, err
	}
	show, err := t.nextCertificate(old, next)
	if err != nil {
		return nil, nil, err
	}
	// The registry cannot revoke the change, so the end of ctx does not end the wait.
	msg := &reconfigure{cfg: next, node: t.shared(next)}
	if _, err := ask[*reconfigured](context.WithoutCancel(ctx), t, msg); err != nil {
		return nil, nil, fmt.Errorf("change the running node: %w", err)
	}
	show()
	return changed, restart, nil
}

// merge returns old with the changeable fields of wanted, the names of the changed fields, and the names of the fields
// that differ but need a restart.
func merge(old, wanted TransportConfig) (next *TransportConfig, changed, restart []string) {
	next = &wanted
	from, to := reflect.ValueOf(&old).Elem(), reflect.ValueOf(next).Elem()
	switched := (old.TLSCertPath == "") != (wanted.TLSCertPath == "")
	for i := range to.NumField() {
		name := to.Type().Field(i).Name
		tls := switched && (name == "TLSCertPath" || name == "TLSKeyPath")
		switch {
		case reflect.DeepEqual(from.Field(i).Interface(), to.Field(i).Interface()):
		case tls || slices.Contains(needsRestart, name):
			to.Field(i).Set(from.Field(i))
			restart = append(restart, name)
		default:
			changed = append(changed, name)
		}
	}
	return next, changed, restart
}

// nextCertificate reads the certificate of next if its files differ from those of old. show puts it in force.
func (t *Transport) nextCertificate(old, next *TransportConfig) (show func(), err error) {
	t.mu.Lock()
	l := t.listener
	t.mu.Unlock()
	same := old.TLSCertPath == next.TLSCertPath && old.TLSKeyPath == next.TLSKeyPath
	if same || l == nil || l.cert == nil {
		return func() {}, nil
	}
	cert, err := loadCertificate(next.TLSCertPath, next.TLSKeyPath, t.opts.log)
	if err != nil {
		return nil, err
	}
	return func() { l.cert.replace(cert) }, nil
}

// replace takes over the files and the certificate of next.
func (c *certificate) replace(next *certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.certFile, c.keyFile, c.loaded, c.stamp = next.certFile, next.keyFile, next.loaded, next.stamp
}

// shared returns the data shared by all connections that open while cfg is in force.
func (t *Transport) shared(cfg *TransportConfig) *actors.Node {
	return &actors.Node{
		System: t.opts.system, Keys: t.keys, Limits: cfg.limits(), Counters: t.counters,
		LimitedLog: t.limitedLog, Drops: &t.drops, Log: t.opts.log, OnReply: t.replies.deliver, OnOwnKey: t.ownDials.reflect,
		Queues: &t.queues,
		Wall:   t.opts.wall, Running: t.clock, Rand: t.opts.rand, Spawn: t.work.Go, Writers: &t.writers, Readers: t.unbounded,
		Observer: t.opts.observer,
		Born:     t.born, Claims: t.opts.cluster != nil,
	}
}

// UseAuthMode selects the peers that may connect in this run. It stores nothing and disconnects other peers.
func (t *Transport) UseAuthMode(mode AuthMode) error {
	return t.changeAuth(BookChange{}, t.book.UseAuthMode(mode))
}

type (
	// reconfigure puts another configuration in force. node is shared by connections that open from now on.
	reconfigure struct {
		cfg  *TransportConfig
		node *actors.Node
	}
	// reconfigured answers reconfigure.
	reconfigured struct{}
)

func (*reconfigure) fromTransport() {}

func (r *registry) onReconfigure(ctx actor.Context, msg *reconfigure) {
	defer r.answer(&reconfigured{}) // also after a panic: the configuration is in force, and the caller waits
	before := r.cfg.Peers
	r.cfg, r.shared = msg.cfg, msg.node
	r.live.Store(msg.cfg) // before the answer: a caller that has it sees the new limits
	r.claims.SetRate(claimBurst+float64(r.cfg.MaxConns), 1, time.Now())
	r.node.Queues.SetLimit(r.cfg.QueueTotalBytes / 2)
	r.fitDedup()
	for _, address := range before {
		if !slices.Contains(r.cfg.Peers, address) {
			r.stopKeeping(ctx, address)
		}
	}
	r.book.UsePins(pinsOf(r.cfg.Peers))
	for _, address := range r.cfg.Peers {
		if !slices.Contains(before, address) {
			r.dialConfigured(ctx, address)
		}
	}
	r.onAuthChanged(ctx)
	r.closeUnprotected(ctx)
}

// closeUnprotected closes the connections that SessionRequire no longer permits. Kept peers are dialled again and may
// then open a session.
func (r *registry) closeUnprotected(ctx actor.Context) {
	if r.cfg.Session != SessionRequire {
		return
	}
	for _, s := range r.slots {
		if s.conn != nil && !s.session {
			end := actors.End{Code: wire.DisconnectNormal, Reason: wire.ReasonSessionRequired}
			ctx.Send(s.pid, &actors.CloseGracefully{End: end})
		}
	}
}

// stopKeeping stops redialling an address of the configuration, unless ConnectAddress or the peer book needs it too.
func (r *registry) stopKeeping(ctx actor.Context, address string) {
	url, _, err := ParsePinnedAddress(address, r.cfg.WSPath)
	t := r.targets[url]
	if err != nil || t == nil {
		return
	}
	if !t.persistent {
		r.setTargetPeers(t, "", t.peer) // its pin was removed
	}
	known, _ := r.book.Get(t.peer)
	if t.keep = t.persistent || known.Persistent; t.slot == nil {
		r.advance(ctx, t, dialReleased, nil)
	}
}
