package cluster

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// coordinatorRig is the coordinator of member "self" without an actor: a test calls its methods and reads its messages
// and reports. It has joined, and knows the members a, b and c of boot 1, whose next message has the number 1.
type coordinatorRig struct {
	*coordinator
	bus *recordingBus
	log *recordingLocal
	a   *member
	b   *member

	lines *bytes.Buffer // of both logs
}

func newCoordinatorRig(t *testing.T) *coordinatorRig {
	t.Helper()
	bus, local := &recordingBus{}, &recordingLocal{counts: make(map[actors.Counter]int)}
	lines := &bytes.Buffer{}
	log := slog.New(slog.NewTextHandler(lines, nil))
	e := New(bus, Options{Name: "self", NodeID: "node", Boot: 9, Log: log, Members: log})
	e.seen.begin(local)
	e.forwarder.local = local
	t.Cleanup(func() {
		e.exchanges.end()
		e.opts.System.Shutdown()
	})
	r := &coordinatorRig{coordinator: newCoordinator(e, local, func(error) {}), bus: bus, log: local, lines: lines}
	r.endJoin(nil)
	r.a, r.b = r.learn("a"), r.learn("b")
	r.learn("c")
	r.updateSeen()
	lines.Reset() // of the start
	return r
}

// learn enters a member that is in step.
func (r *coordinatorRig) learn(name string) *member {
	m := &member{name: name, boot: 1, next: 1, heard: r.now()}
	r.directory.members[name] = m
	return m
}

// claimOf makes a claim of this member, and returns its verdicts.
func (r *coordinatorRig) claimOf(peer string) *[]supervisor.ClaimVerdict {
	verdicts := &[]supervisor.ClaimVerdict{}
	r.onClaiming(&claiming{claim: supervisor.Claim{Peer: peer}, decided: func(v supervisor.ClaimVerdict) {
		*verdicts = append(*verdicts, v)
	}})
	return verdicts
}

// answered gives this member the answer of another one to its claim of an id.
func (r *coordinatorRig) answered(by *member, peer string, id uint64, what answer, term uint64) {
	r.onVerdict(&message{
		head: head{kindVerdict, by.name, by.boot}, id: id, claim: supervisor.Claim{Peer: peer}, answer: what,
		verdict: supervisor.ClaimVerdict{Term: term, Tokens: -1},
	})
}

// contest delivers the claim of another member.
func (r *coordinatorRig) contest(by *member, peer string, id uint64) {
	r.onClaim(&message{head: head{kindClaim, by.name, by.boot}, id: id, claim: supervisor.Claim{Peer: peer}})
}

// hear delivers the bytes of a message.
func (r *coordinatorRig) hear(msg *message) { r.onHeard(&heard{body: msg.encode()}) }

// recordingBus keeps the published messages and the requests. It answers none.
type recordingBus struct {
	sent []*message
	to   []string // subjects of sent
	fail error    // of Publish

	mu    sync.Mutex
	asked []string // subjects of requests
	asks  []*message
}

func (b *recordingBus) Publish(subject string, body []byte) error {
	if b.fail != nil {
		return b.fail
	}
	msg, err := decode(body)
	b.sent, b.to = append(b.sent, msg), append(b.to, subject)
	return err
}

func (b *recordingBus) Request(_ context.Context, subject string, body []byte) ([]byte, error) {
	msg, _ := decode(body) // nil: a probe
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked, b.asks = append(b.asked, subject), append(b.asks, msg)
	return nil, ErrDetached
}

// requests returns the subjects of the requests since the last call. It waits until all goroutines of the bubble are
// blocked.
func (b *recordingBus) requests() []string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked
	b.asked, b.asks = nil, nil
	return asked
}

func (*recordingBus) Subscribe(string, func(Delivery)) (func(), error) { return func() {}, nil }

func (*recordingBus) MaxBody() int { return 1 << 20 }

// take returns the messages of a kind that were published since the last call, and forgets all.
func (b *recordingBus) take(k kind) []*message {
	taken := slices.DeleteFunc(b.sent, func(m *message) bool { return m.kind != k })
	b.sent, b.to = nil, nil
	return taken
}

// recordingLocal keeps the reports to the registry. It decides no contest.
type recordingLocal struct {
	supervisor.ClusterLocal
	contests []supervisor.Claim
	decide   []func(supervisor.ClaimVerdict)
	taken    []string
	counts   map[actors.Counter]int

	exports  int // pages of entries
	exported int
	imported []string // members, one for each page
	full     bool     // no page has space
}

func (*recordingLocal) Clock() time.Time                    { return time.Now() }
func (*recordingLocal) SeenWindow() time.Duration           { return 5 * time.Minute }
func (*recordingLocal) RecordDigest() uint64                { return 0 }
func (*recordingLocal) Load() (connections, limit int)      { return 0, 0 }
func (*recordingLocal) MembersChanged()                     {}
func (l *recordingLocal) Count(counter actors.Counter)      { l.counts[counter]++ }
func (l *recordingLocal) Taken(peer, _ string, term uint64) { l.taken = append(l.taken, peer) }

func (l *recordingLocal) Contest(c supervisor.Claim, decide func(supervisor.ClaimVerdict)) {
	l.contests, l.decide = append(l.contests, c), append(l.decide, decide)
}

func (l *recordingLocal) ExportSeen(page func([]byte) bool) {
	for l.exported < l.exports && page([]byte{1}) {
		l.exported++
	}
}

func (l *recordingLocal) ImportSeen(member string, _ []byte) bool {
	l.imported = append(l.imported, member)
	return !l.full
}
