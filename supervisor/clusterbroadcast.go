package supervisor

import (
	"errors"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// A broadcast in a cluster reaches each connected peer once, or names it as failed. Each member accounts for all peers
// that are connected to it:
//
//	route                       ──▶ sent or failed
//	the claim is undecided      ──▶ the hold of the peer: sent when the claim is granted; if it is refused, as below
//	another member is the home  ──▶ not sent; the home is named in Relies
//
// A member that gets the broadcast later than another may have given a peer up meanwhile, and the new home may have got
// the broadcast before the peer. Members therefore name the peers that have moved lately, and the member of the sender
// compares the names, see cluster.gathering.

const (
	gainedFor = 4 * time.Second // peers that this member has gained are named for this long
	goneFor   = 3 * time.Second // peers that it has given up; a broadcast arrives within two seconds, or has failed
	castHold  = 2 * time.Second // in which the claim of a peer is decided, unless its home is alive
)

// errUndecided means that no member has become the home of a peer in time.
var errUndecided = errors.New("no member has become the peer's home in time")

// MemberBroadcast is the result of a broadcast at one member. The slices hold node IDs, and Relies names of members.
type MemberBroadcast struct {
	BroadcastResult
	Moving []string // counted in Sent: peers that this member has gained in the last seconds, or whose claim was undecided
	Gone   []string // not sent: peers that this member has given up in the last seconds
	Relies []string // members that are the homes of peers with a connection to this member, too
}

// memberMoves is the registry's record of the peers that have moved between members. The zero value is ready.
type memberMoves struct {
	undecided map[string]struct{} // peers whose claim is pending
	relies    map[string]int      // by member: peers in claimElsewhere
	gained    []peerMove          // the oldest first
	gone      []peerMove
}

// peerMove is the time at which this member gained a peer or gave it up.
type peerMove struct {
	peer string // node ID
	role crypto.NodeRole
	at   time.Time
}

// setClaim changes the state of a claim, and its home.
func (r *registry) setClaim(id string, c *claim, state claimState, home string) {
	if c.state == state && c.home == home {
		return
	}
	m, now := &r.moves, time.Now()
	switch c.state {
	case claimPending:
		delete(m.undecided, id)
	case claimHeld:
		m.gone = append(since(m.gone, now.Add(-goneFor)), peerMove{id, c.by.conn.peer.Role, now})
	case claimElsewhere:
		if m.relies[c.home]--; m.relies[c.home] == 0 {
			delete(m.relies, c.home)
		}
	case claimNone:
	}
	c.state, c.home = state, home
	switch state {
	case claimPending:
		add(&m.undecided, id, struct{}{})
	case claimHeld:
		m.gained = append(since(m.gained, now.Add(-gainedFor)), peerMove{id, c.by.conn.peer.Role, now})
	case claimElsewhere:
		add(&m.relies, home, m.relies[home]+1)
	case claimNone:
	}
}

// expire forgets old moves.
func (m *memberMoves) expire(now time.Time) {
	if m.gained = since(m.gained, now.Add(-gainedFor)); len(m.gained) == 0 {
		m.gained = nil
	}
	if m.gone = since(m.gone, now.Add(-goneFor)); len(m.gone) == 0 {
		m.gone = nil
	}
}

func add[V any](to *map[string]V, key string, value V) {
	if *to == nil {
		*to = make(map[string]V)
	}
	(*to)[key] = value
}

// since returns the moves after a time.
func since(moves []peerMove, after time.Time) []peerMove {
	for len(moves) > 0 && !moves[0].at.After(after) {
		moves = moves[1:]
	}
	return moves
}

// gainedPeers returns the peers that this member has gained lately.
func (m *memberMoves) gainedPeers() map[string]bool {
	if len(m.gained) == 0 {
		return nil
	}
	peers := make(map[string]bool, len(m.gained))
	for i := range m.gained {
		peers[m.gained[i].peer] = true
	}
	return peers
}

// movesFor returns the part of a result that is known before the message is sent: Gone and Relies.
func (r *registry) movesFor(msg *Broadcast) (sum MemberBroadcast) {
	for _, gone := range r.moves.gone {
		state := r.states[gone.peer]
		back := state != nil && (state.claim.state == claimPending || state.claim.state == claimHeld)
		if !back && msg.addresses(gone.peer, gone.role) {
			sum.Gone = append(sum.Gone, gone.peer)
		}
	}
	for home := range r.moves.relies {
		if home != "" {
			sum.Relies = append(sum.Relies, home)
		}
	}
	return sum
}

// addresses reports whether a broadcast is for a peer.
func (b *Broadcast) addresses(id string, role crypto.NodeRole) bool {
	return id != b.Message.From && (b.Role == "" || role == b.Role)
}

// castHere gathers the results of one broadcast at this member: of the broadcaster, and of each peer whose claim is
// undecided. Safe for concurrent use.
type castHere struct {
	t       *Transport
	message *wire.Message
	done    func(MemberBroadcast)

	mu    sync.Mutex
	left  int
	sum   MemberBroadcast
	waits map[string]bool // peers whose claim is undecided
	timer *time.Timer
}

// castInCluster begins a broadcast to the peers of this member whose claims are undecided. It returns the function for
// the answer of the broadcaster, which must be called once. done gets the result about all peers.
func (r *registry) castInCluster(msg *Broadcast, done func(MemberBroadcast)) func(answer any) {
	r.moves.expire(time.Now())
	c := &castHere{t: r.transport, message: msg.Message, done: done, left: 1, sum: r.movesFor(msg)}
	for id := range r.moves.undecided {
		if state := r.states[id]; state != nil && msg.addresses(id, state.claim.by.conn.peer.Role) {
			c.hold(id, r.cfg)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waits) > 0 {
		c.timer = time.AfterFunc(castHold, c.onLate)
	}
	return func(answer any) {
		result := answer.(*Broadcasted)
		c.add(MemberBroadcast{
			BroadcastResult: BroadcastResult{Sent: result.Sent, Failed: result.Failed, Refused: result.Err},
			Moving:          result.moving,
		})
	}
}

// hold sends the message to a peer when its claim is granted.
func (c *castHere) hold(id string, cfg *TransportConfig) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, err := c.t.routes.whenRouted(id, c.message, cfg, func(via route) { c.decided(id, via) })
	switch {
	case err != nil:
		c.sum.Failed = append(c.sum.Failed, SendFailure{Peer: id, Err: err})
	case held:
		add(&c.waits, id, true)
		c.left++
	}
}

// decided handles the end of a peer's hold.
func (c *castHere) decided(id string, via route) {
	c.mu.Lock()
	waits := c.waits[id]
	delete(c.waits, id)
	c.mu.Unlock()
	if !waits { // it is named as failed
		return
	}
	if via.conn == nil {
		c.add(c.missed(id, ErrNotConnected))
		return
	}
	for _, alternate := range via.alternates {
		_ = alternate.Post(c.message) // the route's result counts
	}
	if err := via.conn.handle.Post(c.message); err != nil {
		c.add(c.missed(id, err))
		return
	}
	c.add(MemberBroadcast{BroadcastResult: BroadcastResult{Sent: 1}, Moving: []string{id}})
}

// missed returns the result about a peer to which this member has not sent. If another member is its home, that member
// has.
func (c *castHere) missed(id string, err error) MemberBroadcast {
	if home := c.t.Home(id); home != "" && home != c.t.Member() {
		return MemberBroadcast{Relies: []string{home}}
	}
	return MemberBroadcast{BroadcastResult: BroadcastResult{Failed: []SendFailure{{Peer: id, Err: err}}}}
}

// onLate ends the wait for claims that are still undecided.
func (c *castHere) onLate() {
	c.mu.Lock()
	waits := c.waits
	c.waits = nil
	c.mu.Unlock()
	for id := range waits {
		c.add(c.missed(id, errUndecided))
	}
}

// add adds a part of the result, and reports the whole one after the last part.
func (c *castHere) add(part MemberBroadcast) {
	c.mu.Lock()
	c.sum.Sent += part.Sent
	c.sum.Failed = append(c.sum.Failed, part.Failed...)
	c.sum.Moving = append(c.sum.Moving, part.Moving...)
	c.sum.Relies = append(c.sum.Relies, part.Relies...)
	if part.Refused != nil {
		c.sum.Refused = part.Refused
	}
	c.left--
	last := c.left == 0
	if last && c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	if last {
		c.done(c.sum)
	}
}

// castEverywhere begins a broadcast at the other members. It returns the function for the result of this one. reply
// (optional) gets the result of all.
func (r *registry) castEverywhere(msg *Broadcast, reply func(answer any)) func(MemberBroadcast) {
	t, own := r.transport, MemberBroadcast{}
	here := r.cluster.Broadcast(msg.Message, msg.Role, func(sum BroadcastResult) {
		t.counters.Add(actors.ClusterForwarded, max(sum.Sent-own.Sent, 0))
		t.counters.Add(actors.ClusterForwardFailed, max(len(sum.Failed)-len(own.Failed), 0))
		if reply != nil {
			reply(&Broadcasted{Sent: sum.Sent, Failed: sum.Failed, Err: sum.Refused})
		}
	})
	return func(sum MemberBroadcast) {
		own = sum
		here(sum)
	}
}
