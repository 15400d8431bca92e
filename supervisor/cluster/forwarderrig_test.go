package cluster

import (
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// forwarderRig is the forwarder of member "self": a test delivers the messages of the members a, b and c, and reads the
// published ones. The peer "peer" is connected to a.
type forwarderRig struct {
	*coordinatorRig
	*forwarder
	bus     *bodies
	here    *delivering
	results []supervisor.Forwarded
}

// delivering is a member whose deliveries a test sets.
type delivering struct {
	*recordingLocal
	deliver   func(f supervisor.Forwarding, done func(supervisor.Forwarded)) (cancel func())
	broadcast supervisor.MemberBroadcast // result
	role      crypto.NodeRole            // of the last broadcast
}

func (l *delivering) Deliver(f supervisor.Forwarding, done func(supervisor.Forwarded)) (cancel func()) {
	return l.deliver(f, done)
}

func (l *delivering) DeliverBroadcast(_ *wire.Message, role crypto.NodeRole, done func(supervisor.MemberBroadcast)) {
	l.role = role
	done(l.broadcast)
}

func newForwarderRig(t *testing.T) *forwarderRig {
	t.Helper()
	r := &forwarderRig{coordinatorRig: newCoordinatorRig(t), bus: &bodies{}}
	r.forwarder, r.here = r.coordinator.engine.forwarder, &delivering{recordingLocal: r.log}
	r.engine.bus, r.engine.local, r.local = r.bus, r.log, r.here
	r.directory.set("peer", r.a, 1)
	return r
}

// forward forwards a message that waits for its answer without an end.
func (r *forwarderRig) forward(t *testing.T, peer string) (cancel func()) {
	t.Helper()
	msg, err := wire.NewMessage("test", "node", peer, nil)
	if err == nil {
		cancel, err = r.engine.Forward(supervisor.Forwarding{
			Peer: peer, Message: msg, Mode: supervisor.ForwardAnswered, Endless: true,
		}, func(f supervisor.Forwarded) { r.results = append(r.results, f) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return cancel
}

// receive delivers a batch of another member with one message for each of the peers, which waits for its answer without
// an end.
func (r *forwarderRig) receive(t *testing.T, from string, peers ...string) {
	t.Helper()
	r.onForwarded(r.batch(t, from, peers...))
}

// batch returns the bytes of such a batch.
func (r *forwarderRig) batch(t *testing.T, from string, peers ...string) []byte {
	t.Helper()
	form, b := formOf(t, r.engine), append(head{kindBatch, from, 1}.appendTo(nil), 1)
	for _, peer := range peers {
		e := entry{mode: supervisor.ForwardAnswered, endless: true, peer: peer, form: form}
		b = e.appendTo(b)
	}
	return b
}

// formOf returns a message as an entry carries it.
func formOf(t *testing.T, e *Engine) []byte {
	t.Helper()
	msg, err := wire.NewMessage("test", "node", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	form, err := e.form(msg)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// report delivers the results of the first batch that went to a member.
func (r *forwarderRig) report(by string, results ...entryResult) {
	r.onAck((&ack{head: head{kindAck, by, 1}, to: 9, batch: 1, results: results}).encode())
}

// bodies is a bus that keeps the published bodies.
type bodies struct {
	recordingBus
	lock     sync.Mutex
	sent     []string // subject and body
	handlers map[string]func(Delivery)
}

func (b *bodies) Subscribe(subject string, handle func(Delivery)) (cancel func(), err error) {
	if b.handlers == nil {
		b.handlers = make(map[string]func(Delivery))
	}
	b.handlers[subject] = handle
	return func() {}, nil
}

func (b *bodies) Publish(subject string, body []byte) error {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.sent = append(b.sent, subject+" "+string(body))
	return b.fail
}

// forget forgets the bodies that were published until now.
func (b *bodies) forget() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.sent = nil
}

// to returns the bodies that were published to a subject of a member.
func (b *bodies) to(member, channel string) (list [][]byte) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, sent := range b.sent {
		if body, found := strings.CutPrefix(sent, "p2p.node.m."+member+"."+channel+" "); found {
			list = append(list, []byte(body))
		}
	}
	return list
}

// batchesTo returns the batches and the cancels that were published to a member.
func (b *bodies) batchesTo(t *testing.T, member string) (batches, cancels []*received) {
	t.Helper()
	for _, body := range b.to(member, "fwd") {
		in, err := decodeForwarded(body)
		switch {
		case err != nil || in == nil:
			t.Fatalf("%x: %v", body, err)
		case in.kind == kindBatch:
			batches = append(batches, in)
		default:
			cancels = append(cancels, in)
		}
	}
	return batches, cancels
}
