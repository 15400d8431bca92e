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
// when any connection to that peer ends; the keepalive of an ended connection deletes it up to one ping interval later.
// Without an entry it sends us nothing, although our connection is open. A further connection, opened after that
// interval, restores the entry. The older connection stays open, because its end would delete the entry again.

const (
	deployedPingInterval = 30 * time.Second // assumed until a peer has sent two pings on one connection
	furtherMargin        = time.Second      // added to the peer's ping interval
	maxOwnToDeployed     = 2                // connections and dials of this node to one deployed peer
)

// further holds the state of further connections to one deployed peer with a known address.
type further struct {
	since      time.Time     // last event after which the peer may have deleted its entry; zero: none is due
	dialled    time.Time     // start of the last further dial
	interval   time.Duration // between pings of the peer on an ended connection; 0: not measured
	timer      *time.Timer
	generation int
}

// furtherFacts are the inputs of decideFurther.
type furtherFacts struct {
	now, since, dialled time.Time
	interval            time.Duration // between pings of the peer; 0: not measured
	stopping            bool
	deployed            bool // no verified connection of the peer announced single-connection
	living              int  // verified connections to the peer
	own                 int  // opened or dialled by this node
	dialable            bool // the peer has an assigned address and may connect
	full                bool // MaxConns is reached
}

// furtherStep is a decision of decideFurther.
type furtherStep int

const (
	furtherNone   furtherStep = iota // nothing to do until the next event
	furtherWait                      // decide again at the returned time
	furtherPutOff                    // no free slot: decide again at the returned time, one interval from now
	furtherDial                      // open one connection
)

// decideFurther decides whether to open a further connection to a deployed peer now, and if not, when to decide again.
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

// furtherDue is the timer of a further connection.
type furtherDue struct {
	peer       string
	generation int
}

func (*furtherDue) fromTransport() {}

// verifiedOpened handles a new verified connection. The first one of a peer after the start of this node counts as
// following a connection of the previous process.
func (r *registry) verifiedOpened(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	if _, _, dialable := r.orderedAddress(id); dialable && r.further[id] == nil {
		r.further[id] = &further{since: time.Now()}
		r.decideFurther(ctx, id)
	}
}

// verifiedEnded handles the end of a verified connection.
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

// furtherFailed handles a failed further dial. The next one is due after another interval.
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

// decideFurther carries out the decision about one peer.
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
		now: time.Now(), since: f.since, dialled: f.dialled, interval: f.interval, stopping: r.leaving(), deployed: true,
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

// dialledPeer returns the node ID of the peer that an outbound slot was dialled for, or "" if it is not known yet.
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

// orderedAddress returns the address given for a peer: that of a dial target, or the peer book's if the peer is kept
// connected.
func (r *registry) orderedAddress(id string) (address, url string, ok bool) {
	var found []*dialTarget
	for _, t := range r.targetsOf[id] {
		if t.knownPeer() == id {
			found = append(found, t)
		}
	}
	if len(found) > 0 {
		t := slices.MinFunc(found, func(a, b *dialTarget) int { return cmp.Compare(a.url, b.url) })
		return t.address, t.url, true
	}
	known, _ := r.book.Get(id)
	if !known.Persistent {
		return "", "", false
	}
	url, err := ParseAddress(known.Address, r.cfg.WSPath)
	return known.Address, url, err == nil
}

// adoptFurther assigns the further connection of a peer to a target whose connection has ended. It returns false if
// there is none.
func (r *registry) adoptFurther(t *dialTarget, id string) bool {
	for _, s := range r.peers[id] {
		if s.further != "" && s.target == nil && !s.closed && s.rank.strength.Verified() {
			s.target, s.reached, t.slot, t.openedAt = t, true, s, s.born
			return true
		}
	}
	return false
}

// dropFurther drops the state of further connections to a peer and stops their dials.
func (r *registry) dropFurther(ctx actor.Context, id string) {
	f := r.further[id]
	if f == nil { // true for nearly every connection that ends
		return
	}
	r.stopFurtherTimer(f)
	delete(r.further, id)
	for _, s := range r.slots {
		if s.further == id && !s.rank.strength.Verified() {
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

// announcesSingle reports whether the peer announced the feature single-connection.
func announcesSingle(s *slot) bool { return s.features.Contains(wire.FeatureSingleConnection) }
