package supervisor

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// A deployed node (protocol section 8) keeps one map entry per peer id, overwritten by each new connection and deleted
// whenever any connection to that peer ends; the keepalive of an ended connection deletes it up to one ping interval
// later. Without an entry the node sends us nothing, while our connection stands. A further connection, opened once that
// interval has passed, restores the entry. The older connection stays open: its end would delete the entry again.

const (
	deployedPingInterval = 30 * time.Second // of a deployed peer that has not sent two pings on one connection yet
	furtherMargin        = time.Second      // added to the peer's ping interval
	maxOwnToDeployed     = 2                // connections and dials of ours to one deployed peer
)

// further is the state of further connections to one deployed peer that we have an address for.
type further struct {
	since      time.Time     // the last event after which the peer may forget us; zero: no further connection is due
	dialled    time.Time     // start of the last further dial
	interval   time.Duration // of the peer's pings on a connection that has ended; 0: not observed
	timer      *time.Timer
	generation int
}

// furtherFacts are the inputs of decideFurther.
type furtherFacts struct {
	now, since, dialled time.Time
	interval            time.Duration // of the peer's pings; 0: not observed
	stopping            bool
	deployed            bool // no verified connection of the peer announces single-connection
	living              int  // verified connections to the peer
	own                 int  // of ours, dials under way included
	dialable            bool // there is an ordered address, and the peer may connect
	full                bool // MaxConns is reached
}

// furtherStep is a decision of decideFurther.
type furtherStep int

const (
	furtherNone   furtherStep = iota // nothing to do until the next event
	furtherWait                      // decide again at the returned time
	furtherPutOff                    // no free slot: decide again at the returned time, counted from now
	furtherDial                      // open one connection
)

// decideFurther decides whether to open a further connection to a deployed peer, and when to decide again.
func decideFurther(f furtherFacts) (furtherStep, time.Time) {
	pause := cmp.Or(f.interval, deployedPingInterval) + furtherMargin
	last := f.since
	if f.dialled.After(last) {
		last = f.dialled
	}
	due := last.Add(pause)
	switch {
	case f.since.IsZero(), f.stopping, !f.deployed:
		return furtherNone, time.Time{}
	case f.now.Before(due):
		return furtherWait, due
	case f.living == 0, f.own >= maxOwnToDeployed, !f.dialable:
		return furtherNone, time.Time{}
	case f.full:
		return furtherPutOff, f.now.Add(pause)
	default:
		return furtherDial, time.Time{}
	}
}

// furtherDue asks the registry to decide about a peer again.
type furtherDue struct {
	peer       string
	generation int
}

func (*furtherDue) fromTransport() {}

// verifiedOpened notes that a connection was verified. The first one of a peer after our start counts as following an
// earlier one, of the process before this.
func (r *registry) verifiedOpened(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	if _, _, dialable := r.orderedAddress(id); dialable && r.further[id] == nil {
		r.further[id] = &further{since: time.Now()}
		r.decideFurther(ctx, id)
	}
}

// verifiedEnded notes that a verified connection has ended.
func (r *registry) verifiedEnded(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	if _, _, dialable := r.orderedAddress(id); !dialable {
		r.dropFurther(ctx, id)
		return
	}
	f := r.further[id]
	if f == nil {
		f = &further{}
		r.further[id] = f
	}
	f.interval = cmp.Or(s.actor.Handle().PeerPingInterval(), f.interval)
	if !announcesSingle(s) {
		f.since = time.Now()
	}
	r.decideFurther(ctx, id)
}

// furtherFailed notes that a further dial came to nothing: the next one is due after another interval.
func (r *registry) furtherFailed(ctx actor.Context, id string, err error) {
	if r.stopping {
		return
	}
	r.node.Counters.Inc(actors.DialsFailed)
	r.node.LimitedLog.Warn("dial of a further connection failed", "peer", id, "error", err)
	if f := r.further[id]; f != nil {
		f.since = time.Now()
		r.decideFurther(ctx, id)
	}
}

// decideFurther carries the decision about one peer out.
func (r *registry) decideFurther(ctx actor.Context, id string) {
	f := r.further[id]
	if f == nil {
		return
	}
	r.stopFurtherTimer(f)
	step, at := decideFurther(r.furtherFacts(id, f))
	switch step {
	case furtherNone:
		f.since = time.Time{}
		return
	case furtherPutOff:
		f.since = time.Now()
	case furtherDial:
		f.since, f.dialled = time.Time{}, time.Now()
		r.startFurther(ctx, id)
		return
	case furtherWait:
	}
	due := &furtherDue{peer: id, generation: f.generation}
	f.timer = time.AfterFunc(time.Until(at), func() { r.node.System.Root.Send(r.self, due) })
}

func (r *registry) furtherFacts(id string, f *further) furtherFacts {
	facts := furtherFacts{
		now: time.Now(), since: f.since, dialled: f.dialled, interval: f.interval, stopping: r.stopping, deployed: true,
		full: admit(occupancy{conns: len(r.slots)}, r.cfg, false) != admitted,
	}
	var key crypto.PublicKey
	for _, s := range r.peers[id] {
		if s.conn.Verified() {
			facts.living++
			facts.deployed = facts.deployed && !announcesSingle(s)
			facts.interval = cmp.Or(s.actor.Handle().PeerPingInterval(), facts.interval)
			key = s.key
		}
	}
	for _, s := range r.slots {
		if s.direction == Outbound && !s.closed && dialledPeer(s) == id {
			facts.own++
		}
	}
	_, _, facts.dialable = r.orderedAddress(id)
	facts.dialable = facts.dialable && r.book.Authorized(key)
	return facts
}

// startFurther dials one further connection.
func (r *registry) startFurther(ctx actor.Context, id string) {
	address, url, _ := r.orderedAddress(id)
	r.node.Counters.Inc(actors.Dials)
	s, err := r.startDial(ctx, address, url, id)
	if err != nil {
		r.furtherFailed(ctx, id, err)
		return
	}
	s.further = id
}

// dialledPeer returns the node ID of the peer that an outbound slot is for; empty: not known yet.
func dialledPeer(s *slot) string {
	switch {
	case s.conn != nil:
		return s.conn.peer.ID
	case s.target != nil:
		return s.target.expect
	default:
		return s.further
	}
}

// orderedAddress returns the address at which a peer was ordered to be dialled: that of a dial target, or the book's
// for a peer that is kept connected.
func (r *registry) orderedAddress(id string) (address, url string, ok bool) {
	var found []*dialTarget
	for _, t := range r.targets {
		if t.expect == id || t.expect == "" && t.peer == id {
			found = append(found, t)
		}
	}
	if len(found) > 0 {
		t := slices.MinFunc(found, func(a, b *dialTarget) int { return cmp.Compare(a.url, b.url) })
		return t.address, t.url, true
	}
	known, _ := r.book.Get(id)
	url, err := ParseAddress(known.Address, r.cfg.WSPath)
	return known.Address, url, known.Persistent && err == nil
}

// adoptFurther gives a target whose connection has ended the further connection to the same peer, and reports whether
// there is one.
func (r *registry) adoptFurther(t *dialTarget, id string) bool {
	for _, s := range r.peers[id] {
		if s.further != "" && s.target == nil && !s.closed {
			s.target, t.slot, t.openedAt = t, s, s.born
			return true
		}
	}
	return false
}

// dropFurther forgets the further connections of a peer and ends a dial of one.
func (r *registry) dropFurther(ctx actor.Context, id string) {
	if f := r.further[id]; f != nil {
		r.stopFurtherTimer(f)
		delete(r.further, id)
	}
	for _, s := range r.slots {
		if s.further == id && s.conn == nil {
			ctx.Stop(s.pid)
		}
	}
}

func (r *registry) stopFurtherTimer(f *further) {
	f.generation++
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
}

// announcesSingle reports whether a connection's peer announces that it keeps one connection per peer.
func announcesSingle(s *slot) bool { return slices.Contains(s.features, wire.FeatureSingleConnection) }
