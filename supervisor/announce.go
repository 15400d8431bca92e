package supervisor

import (
	"cmp"
	"slices"
	"sync"
)

// announcements passes PeerUp, PeerVerified, PeerMoved and PeerDown to the program, for each peer in the order in which
// the registry has decided them. Each event waits here for its place among the messages of its connection. An event of
// another connection of the same peer that is due earlier, because a handler blocks, takes the events before it along:
//
//	inbox of connection 1:  message (its handler blocks) │ PeerDown, number 4
//	inbox of connection 2:  PeerUp, number 5: publishes 4 and 5
//
// Safe for concurrent use.
type announcements struct {
	mu     sync.Mutex // held while subscribers are sent events, so that the answer to Subscribe fits the events after it
	last   uint64     // number of the last event
	peers  map[string]*announcedPeer
	member string // PeerUp.Member of all events
}

// announcedPeer is a peer that the program knows as connected, or with events that wait.
type announcedPeer struct {
	// As the published events have described the peer.
	conn     *PeerConnection
	name     string
	verified bool

	known   bool // PeerUp is published, PeerDown is not
	waiting []announcement
}

type announcement struct {
	number uint64
	event  Event
	conn   *PeerConnection
}

// announcementDue is the item of an inbox at the place of an announcement.
type announcementDue struct {
	peer   string
	number uint64
}

// announce queues an event about the peer of c in order with the messages of c. Only the registry calls it.
func (b *eventBus) announce(c *PeerConnection, e Event) {
	a, id := &b.announced, c.peer.ID
	a.mu.Lock()
	a.last++
	due := &announcementDue{peer: id, number: a.last}
	if a.peers == nil {
		a.peers = make(map[string]*announcedPeer)
	}
	if a.peers[id] == nil {
		a.peers[id] = &announcedPeer{}
	}
	a.peers[id].waiting = append(a.peers[id].waiting, announcement{due.number, e, c})
	a.mu.Unlock()
	c.inbox.Event(due)
}

// publishDue publishes the waiting events of a peer up to the one that is due.
func (b *eventBus) publishDue(due *announcementDue) {
	events := b.notifyDue(due)
	if b.onEvent != nil {
		b.callOnEvent(events)
	}
}

// notifyDue sends the events that are due to the subscribers and returns them.
func (b *eventBus) notifyDue(due *announcementDue) (events []Event) {
	a := &b.announced
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.peers[due.peer]
	for p != nil && len(p.waiting) > 0 && p.waiting[0].number <= due.number {
		next := p.waiting[0]
		if p.waiting = p.waiting[1:]; len(p.waiting) == 0 {
			p.waiting = nil // its array would retain the event and the connection
		}
		a.apply(p, next)
		b.notify(next.event)
		events = append(events, next.event)
	}
	if p != nil && !p.known && len(p.waiting) == 0 {
		delete(a.peers, due.peer)
	}
	return events
}

// callOnEvent calls the program's handler for each event, also after a panic of an earlier call.
func (b *eventBus) callOnEvent(events []Event) {
	if len(events) > 0 {
		defer b.callOnEvent(events[1:])
		b.onEvent(events[0])
	}
}

// apply updates the state of a peer by a published event. mu is held.
func (a *announcements) apply(p *announcedPeer, next announcement) {
	switch e := next.event.(type) {
	case PeerUp:
		p.conn, p.name, p.verified, p.known = next.conn, e.Name, e.Verified, true
		a.member = e.Member
	case PeerVerified:
		p.verified = true
	case PeerMoved:
		p.conn = next.conn
	case PeerDown:
		p.conn, p.known = nil, false
	}
}

// newPeerUp returns the event about the peer of a connection, unverified.
func newPeerUp(c *PeerConnection, name, member string) PeerUp {
	return PeerUp{
		Peer: c.peer.ID, Name: name, Address: c.peerAddress, Direction: c.direction,
		Connection: c.number, Format: c.Format(), Agent: c.Agent(), Member: member,
	}
}

// connected returns the peers that the program knows as connected, by node ID. mu is held.
func (a *announcements) connected() (list []PeerUp) {
	for _, p := range a.peers {
		if p.known {
			up := newPeerUp(p.conn, p.name, a.member)
			up.Verified = p.verified
			list = append(list, up)
		}
	}
	slices.SortFunc(list, func(a, b PeerUp) int { return cmp.Compare(a.Peer, b.Peer) })
	return list
}

// subscribe adds a subscriber and answers with the connected peers. No event or message overtakes the answer.
func (b *eventBus) subscribe(msg *Subscribe, answer func(any)) {
	s := &subscriber{pid: msg.PID, all: msg.All}
	b.announced.mu.Lock()
	defer b.announced.mu.Unlock()
	s.answered.Add(1)
	defer s.answered.Done()
	b.change(msg.PID, s)
	answer(&Subscribed{Connected: b.announced.connected()})
}
