package supervisor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// dialTarget is an address that the node dials once, or repeatedly to keep its peer connected.
type dialTarget struct {
	address    string // as the caller gave it
	url        string
	expect     string // the only node ID that may answer; empty: any
	keep       bool   // redial while the peer is not connected
	persistent bool   // keep applies to later runs as well
	configured bool   // keep is of the configuration only: in a cluster one member dials, see Cluster.Dials

	state      dialState
	dialled    bool   // the first dial has ended
	slot       *slot  // the dial in progress, or the open connection
	peer       string // node ID of the last peer that answered
	failures   int    // consecutive failures
	displaced  int    // consecutive connections that the peer closed as duplicates
	openedAt   time.Time
	startedAt  time.Time   // start of the last dial
	yields     bool        // timer waits for the dial of another address of the peer
	timer      *time.Timer // next dial; set in dialWaiting
	pause      time.Duration
	generation int
	nextDial   time.Time    // expiry of timer; zero: no timer
	lastErr    error        // of the last dial; nil after a connection
	callers    []dialCaller // until the target is open or has failed
}

// dialCaller is a caller that waits for a connection.
type dialCaller struct {
	reply func(answer any) // nil: no answer is wanted
	id    string           // the only node ID that may answer; empty: any
	keep  bool             // keep the peer connected
	call  *call            // nil: the caller cannot withdraw
}

// accepts reports whether a connection leads to the peer that the caller asked for.
func (d dialCaller) accepts(c *PeerConnection) bool { return d.id == "" || d.id == c.peer.ID }

// onDialPeers starts the dials of the configuration and of the peer book.
func (r *registry) onDialPeers(ctx actor.Context) {
	for _, address := range r.cfg.Peers {
		r.dialConfigured(ctx, address)
	}
	for _, peer := range r.book.Persistent() {
		url, err := ParseAddress(peer.Address, r.cfg.WSPath)
		if err == nil && r.targets[url] == nil {
			t := r.targetFor(peer.Address, url, peer.ID, true)
			t.persistent = true
			r.advance(ctx, t, dialWanted, nil)
		}
	}
}

// targetFor returns the dial target of a URL. It creates the target if there is none.
func (r *registry) targetFor(address, url, expect string, keep bool) *dialTarget {
	t := r.targets[url]
	if t == nil {
		t = &dialTarget{address: address, url: url}
		r.targets[url] = t
		r.setTargetPeers(t, expect, "")
	}
	t.keep = t.keep || keep
	return t
}

func (r *registry) onConnect(ctx actor.Context, msg *Connect) {
	fail := func(err error) { r.answer(&Connected{Err: peerError(msg.Address, err)}) }
	if msg.call.withdrawn() {
		return
	}
	if err := r.leavingError(); err != nil {
		fail(err)
		return
	}
	url, pin, err := ParsePinnedAddress(msg.Address, r.cfg.WSPath)
	if err == nil && pin != "" && msg.ID != "" && pin != msg.ID {
		err = fmt.Errorf("the address is pinned to %s, not %s", pin, msg.ID)
	}
	if err != nil {
		fail(err)
		return
	}
	want := cmp.Or(msg.ID, pin)
	if err := r.barredPeer(want); err != nil {
		fail(err)
		return
	}
	if member := r.memberAt(url, want); member != "" {
		fail(&OtherMemberError{Member: member})
		return
	}
	t := r.targetFor(unpinned(msg.Address), url, want, false)
	if want != "" {
		if held := r.expectedPeer(t); held != "" && held != want {
			fail(wrongPeer(want, held))
			return
		}
	}
	caller := dialCaller{reply: r.takeReply(), id: want, keep: msg.Keep, call: msg.call}
	t.callers = append(t.callers, caller)
	if c := r.connected(t); c != nil && caller.accepts(c) {
		r.answerConnected(ctx, t, c)
		return
	}
	r.advance(ctx, t, dialWanted, nil)
}

// expectedPeer returns the only node ID that may answer at a target, or "" if any peer may answer.
func (r *registry) expectedPeer(t *dialTarget) string {
	if t.expect == "" && t.slot != nil && t.slot.reached {
		return t.slot.conn.peer.ID
	}
	return t.expect
}

// connected returns the verified connection to a target's peer, inbound or outbound, or nil.
func (r *registry) connected(t *dialTarget) *PeerConnection {
	for _, id := range []string{t.expect, t.peer} {
		if id != "" {
			if c := r.routes.get(id); c != nil && c.Verified() {
				return c
			}
		}
	}
	return nil
}

// answerConnected answers the callers of a target, and records the peer as persistent if a caller asked for it. It
// returns false if no caller was left and the peer is not kept connected.
func (r *registry) answerConnected(ctx actor.Context, t *dialTarget, c *PeerConnection) (wanted bool) {
	t.callers = slices.DeleteFunc(t.callers, func(caller dialCaller) bool { return !caller.call.answer() })
	wanted = len(t.callers) > 0
	t.persistent = t.persistent || slices.ContainsFunc(t.callers, func(caller dialCaller) bool {
		return caller.keep && caller.accepts(c)
	})
	if t.persistent {
		// From now on only this peer may answer, also in later runs: the book stores its ID.
		t.keep = true
		r.setTargetPeers(t, c.peer.ID, t.peer)
		r.book.Update(c.peer.ID, func(p *Peer) { p.KeepAt(t.address) })
	}
	r.answerCallers(t, &Connected{Connection: c})
	if t.slot == nil { // otherwise this would end a crossed dial, whose connection the peer may keep
		r.advance(ctx, t, dialReleased, nil)
	}
	return wanted || t.keep
}

// answerCallers answers all callers. A caller that asked for another peer than the connected one gets an error.
func (r *registry) answerCallers(t *dialTarget, answer *Connected) {
	for _, caller := range t.callers {
		result := answer
		if c := answer.Connection; c != nil && !caller.accepts(c) {
			result = &Connected{Err: peerError(t.address, wrongPeer(caller.id, c.peer.ID))}
		}
		if caller.reply != nil && caller.call.answer() {
			caller.reply(result)
		}
	}
	t.callers = nil
}

func wrongPeer(want, is string) error {
	return fmt.Errorf("%w: expected %s, the address is that of %s", actors.ErrWrongIdentity, want, is)
}

// startDial spawns an outbound connection and its dialling goroutine. expect is the only node ID that may answer;
// empty: any.
func (r *registry) startDial(ctx actor.Context, address, url, expect string) (*slot, error) {
	sent, err := r.newChallenge()
	if err != nil {
		return nil, err
	}
	s, err := r.spawn(ctx, actors.Opening{Direction: Outbound, Remote: address, ExpectID: expect, Challenge: sent})
	if err != nil {
		return nil, err
	}
	within, cancel := r.node.Running.WithTimeout(r.dials, r.cfg.HandshakeTimeout)
	s.cancelDial = cancel
	slot := s.actor
	r.node.Spawn(func() {
		defer cancel()
		socket, err := r.dial(within, url)
		if err != nil {
			slot.Fail(err)
			return
		}
		slot.Attach(socket)
	})
	return s, nil
}

// onDialOpen records that the dial of a target has opened a verified connection.
func (r *registry) onDialOpen(ctx actor.Context, s *slot) {
	t := s.target
	if t == nil {
		return
	}
	s.reached = true
	r.reportAddress(t, s.conn.peer.ID)
	r.setTargetPeers(t, t.expect, s.conn.peer.ID)
	t.openedAt = time.Now()
	r.advance(ctx, t, dialOpened, nil)
	defer r.markDialled(t)
	if !r.answerConnected(ctx, t, s.conn) {
		s.actor.Handle().Close(wire.DisconnectNormal, "the caller has withdrawn")
	}
}
