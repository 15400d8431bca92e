package cluster

import (
	"context"
	"time"

	"github.com/Snider/go-p2p/actors"
)

const (
	snapshotKept = 10 * time.Second // for the members that read its pages
	fetchTimeout = time.Second
	fetchAgain   = 250 * time.Millisecond
	maxKept      = 4096                // messages kept during a synchronization
	maxChanged   = 1 << 18             // claims and releases in them: 23 MB of the longest ones
	maxClaims    = 1 << 22             // of one member
	maxPages     = maxClaims / maxPage // of one snapshot: full ones
)

// syncing is the exchange of a member's claims by pages, while its sequence goes on:
//
//	message 7 is missing ──▶ keep 8, 9, … ──▶ pages of the snapshot after message 8 ──▶ apply 9, …
type syncing struct {
	wanted uint64     // the snapshot must include the messages up to this number
	kept   []*message // the messages after it, in order
	room   int        // claims and releases for which they have space
	seq    uint64     // number of the last message that the snapshot includes
	total  uint64     // of its claims
	pages  int        // that have arrived
	claims []holding
}

// snapshot is a list of the own claims after a message of the sequence.
type snapshot struct {
	claims []holding
	made   time.Time
}

// synchronize begins the exchange of a member's claims. msg is the first message that is kept.
func (c *coordinator) synchronize(m *member, msg *message) {
	m.sync = &syncing{wanted: msg.seq - 1, kept: []*message{msg}, room: maxChanged - msg.changes()}
	c.fetch(m, 0)
}

// keep keeps a message of a member's sequence until its snapshot is complete.
func (c *coordinator) keep(m *member, msg *message) {
	s := m.sync
	switch last := s.kept[len(s.kept)-1].seq; {
	case msg.seq <= last:
	case msg.seq > last+1, len(s.kept) == maxKept, msg.changes() > s.room:
		c.synchronize(m, msg)
	default:
		s.kept, s.room = append(s.kept, msg), s.room-msg.changes()
	}
}

// changes returns the number of claims and releases in a message.
func (m *message) changes() int { return len(m.claims) + len(m.releases) }

// fetch requests the page of a snapshot that begins with a claim.
func (c *coordinator) fetch(m *member, offset int) {
	s := m.sync
	ask := &message{head: c.engine.head(kindSnapshot), seq: s.wanted, offset: uint64(offset)}
	if offset > 0 {
		ask.seq = s.seq
	}
	if !c.engine.exchanges.begin() {
		return
	}
	go func() {
		defer c.engine.exchanges.done()
		ctx, cancel := context.WithTimeout(c.engine.exchanges.ctx, fetchTimeout)
		defer cancel()
		page, err := c.engine.request(ctx, m.name, "snap", ask)
		c.engine.tell(&fetched{member: m, sync: s, page: page, err: err})
	}()
}

// onFetched processes a page. After an error or an unexpected page the snapshot is requested again from its beginning:
// the member may have restarted.
func (c *coordinator) onFetched(in *fetched) {
	m, s, page := in.member, in.sync, in.page
	if m.sync != s {
		return
	}
	if in.err != nil || page.boot != m.boot || !s.continues(page) {
		s.claims, s.pages = nil, 0
		time.AfterFunc(fetchAgain, func() { c.engine.tell(&refetch{m, s}) })
		return
	}
	s.seq, s.total, s.pages, s.claims = page.seq, page.total, s.pages+1, append(s.claims, page.claims...)
	if uint64(len(s.claims)) < page.total {
		c.fetch(m, len(s.claims))
		return
	}
	c.complete(m)
}

// continues reports whether a page begins the snapshot, or is its next one. A member that has dropped the snapshot
// answers with an empty page of a shorter one.
func (s *syncing) continues(page *message) bool {
	known := uint64(len(s.claims))
	switch now := known + uint64(len(page.claims)); {
	case page.kind != kindPage, page.offset != known, page.total > maxClaims, now > page.total:
		return false
	case known > 0 && (page.seq != s.seq || page.total != s.total), s.pages >= maxPages:
		return false
	default:
		return len(page.claims) > 0 || now == page.total
	}
}

// complete enters a complete snapshot and then applies the kept messages.
func (c *coordinator) complete(m *member) {
	s := m.sync
	m.sync, m.next = nil, s.seq+1
	c.local.Count(actors.ClusterSnapshots)
	c.replace(m, s.claims)
	for _, msg := range s.kept {
		if msg.seq == m.next { // a member that numbers its messages wrongly continues with the number of its snapshot
			c.apply(m, msg)
		}
	}
	c.considerJoin()
}

// onSnapshot answers the request for a page. A first page takes a new snapshot, unless a recent one includes the wanted
// messages.
func (c *coordinator) onSnapshot(ask *message, respond func([]byte)) {
	if respond == nil {
		return
	}
	seq, found := ask.seq, c.snapshots[ask.seq]
	if ask.offset == 0 {
		seq, found = c.takeSnapshot(min(ask.seq, c.self.next))
	}
	page := &message{head: c.engine.head(kindPage), seq: seq, offset: ask.offset}
	if found != nil {
		page.total = uint64(len(found.claims))
		from := min(ask.offset, page.total)
		page.claims = found.claims[from:min(from+maxPage, page.total)]
	}
	respond(page.encode())
}

// takeSnapshot returns a snapshot that includes the messages up to wanted.
func (c *coordinator) takeSnapshot(wanted uint64) (uint64, *snapshot) {
	for seq, s := range c.snapshots {
		if seq >= wanted && time.Since(s.made) < snapshotKept/2 {
			return seq, s
		}
	}
	c.flush() // claims that are not announced yet are in the directory already
	s := &snapshot{claims: c.directory.of(c.self), made: time.Now()}
	c.snapshots[c.self.next] = s
	return c.self.next, s
}

func (c *coordinator) dropSnapshots(now time.Time) {
	for seq, s := range c.snapshots {
		if now.Sub(s.made) >= snapshotKept {
			delete(c.snapshots, seq)
		}
	}
}
