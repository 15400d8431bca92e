package cluster

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// seen knows which members may have delivered messages of an author.
//
// The home of the author decides which member delivers a message of it. The members choose a keeper for an author that
// is connected nowhere, by rendezvous hashing.
//
//	asker                 home or keeper          a former one
//	──kindCheck──────────▶ enter in its set
//	◀──kindChecked──────── fresh; and the former ones
//	──kindCheck──────────────────────────────────▶ enter in its set
//	◀──kindChecked──────────────────────────────── fresh: the asker delivers
//
// A set enters a message once. Of several members that ask at once, the home tells one that the message is fresh, and
// only that one continues. A former home may have delivered only messages stamped up to its end and one window more.
// If it has stopped without handing its entries over, messages stamped before its end are stale for one window.
//
// A member that joins, or that hears of a lost member again, has missed moves of peers: for two windows it treats the
// others as former keepers of every author, until their answers for a peer that connects here say otherwise.
//
// The engine's actor writes, connections and the subscription of checks read. Safe for concurrent use.
type seen struct {
	self      *member
	directory *directory

	mu      sync.Mutex
	local   supervisor.ClusterLocal // nil before Join
	window  time.Duration
	members map[string]standing // without this one
	live    []string            // names of the members that are not lost
	earlier []liveSet           // youngest first
	missed  map[startOf]former  // members whose peers this one did not know until then
	former  map[string][]former // of peers that other members have held
	unnoted map[startOf]former  // members that have held peers for which former had no space
	order   []formerPeer        // of the entries of former
	held    map[string][]former // of peers that this member holds
	authors map[string]*author
	kept    map[string]time.Time     // authors that this member has kept or held: last message, or end
	flooded time.Time                // kept was full
	handed  map[string]former        // members that have left and handed their entries over
	clocks  map[string]time.Duration // of the other members minus ours
	joined  time.Time                // only the other members know of earlier messages
	crash   former                   // the last crash of a member, only its times
	unseen  former                   // the same before joined
	expired time.Time                // last call of expire
}

// former is a member that has decided about the messages of a peer before.
type former struct {
	member string
	boot   uint64
	ended  time.Time     // on the clock of messages
	at     time.Time     // the same moment, on the monotonic clock
	ahead  time.Duration // its clock minus ours
	keeper bool          // it may have no entries: the peer was connected nowhere
}

type formerPeer struct {
	peer string
	at   time.Time
}

// standing is the state of another member.
type standing struct {
	boot uint64
	at   time.Time // when this start of it was heard first
	lost former    // its member is empty unless the member is lost
}

// liveSet is a former set of live members.
type liveSet struct {
	names  []string
	boots  map[string]uint64
	clocks map[string]time.Duration // see seen
	ended  former                   // only its times
}

// startOf is one start of a member.
type startOf struct {
	member string
	boot   uint64
}

// author is a peer with connections to this member.
type author struct {
	state supervisor.ClusterAuthor
	users int
}

// Limits of the memory.
const (
	maxFormer      = 32      // former homes of a peer, without its keepers
	maxFormerPeers = 1 << 18 // peers with former homes
	maxEarlier     = 16      // former sets of live members
	maxKeptAuthors = 1 << 16
	expireEvery    = 10 * time.Second
)

func newSeen(self *member, d *directory) *seen {
	return &seen{
		self: self, directory: d, members: make(map[string]standing), live: []string{self.name},
		former: make(map[string][]former), held: make(map[string][]former), authors: make(map[string]*author),
		missed: make(map[startOf]former), unnoted: make(map[startOf]former),
		kept: make(map[string]time.Time), handed: make(map[string]former),
		clocks: make(map[string]time.Duration),
	}
}

// now returns an end of the present moment.
func (s *seen) now(member string, boot uint64) former {
	return former{member: member, boot: boot, ended: s.local.Clock(), at: time.Now(), ahead: s.clocks[member]}
}

// begin is called by Join, before any other member is known.
func (s *seen) begin(local supervisor.ClusterLocal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.local, s.window = local, local.SeenWindow()
}

// Author implements supervisor.Cluster.
func (e *Engine) Author(peer string) *supervisor.ClusterAuthor {
	s := e.seen
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.authors[peer]
	if a == nil {
		a = &author{}
		a.state.CheckUntil.Store(math.MaxInt64)
		s.authors[peer] = a
		if _, own := s.directory.termOf(peer, s.self); own {
			s.updateAuthor(peer)
		}
	}
	a.users++
	return &a.state
}

// DropAuthor implements supervisor.Cluster.
func (e *Engine) DropAuthor(peer string) {
	s := e.seen
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.authors[peer]; a != nil {
		if a.users--; a.users == 0 {
			delete(s.authors, peer)
		}
	}
}

// Judge implements supervisor.Cluster.
func (e *Engine) Judge(author string, stamp time.Time, adjusted bool) supervisor.SeenRule {
	s := e.seen
	home := s.directory.home(author)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decider(home, author) != s.self.name {
		return supervisor.SeenAsk
	}
	if home == nil {
		s.keep(author)
	}
	switch ask, stale := s.consult(author, stamped{at: stamp, adjusted: adjusted}, home); {
	case stale:
		return supervisor.SeenStale
	case len(ask) > 0:
		return supervisor.SeenHereThen
	default:
		return supervisor.SeenHere
	}
}

// decider returns the member that decides about an author with this home, which may be nil. s.mu is held.
func (s *seen) decider(home *member, author string) string {
	switch {
	case s.local == nil:
		return s.self.name
	case home != nil:
		return home.name
	default:
		return rendezvous(s.live, author)
	}
}

// consult returns the members that must be asked about a message beside the one that decides, and whether the message
// is stale. home may be nil. s.mu is held.
func (s *seen) consult(author string, stamp stamped, home *member) (ask []string, stale bool) {
	if s.local == nil {
		return nil, false
	}
	now := time.Now()
	stale = s.crashedBefore(stamp, now)
	for _, f := range s.formerOf(author, home) {
		margin := s.margin(f, stamp)
		switch since := now.Sub(f.at); {
		case since > 2*s.window:
		case s.reachable(f):
			if !stamp.at.After(f.ended.Add(s.window+margin)) && !slices.Contains(ask, f.member) {
				ask = append(ask, f.member)
			}
		case s.hasHandedOver(f):
		case since <= s.window && !stamp.at.After(s.endOf(f).Add(margin)):
			stale = true
		}
	}
	return ask, stale && !stamp.latest
}

// reachable reports whether a former home still has its entries.
func (s *seen) reachable(f former) bool {
	m, known := s.members[f.member]
	return known && m.lost.member == "" && (m.boot == f.boot || m.boot == 0 || f.boot == 0)
}

// runs reports whether a start of a member runs, by what this member has heard. s.mu is held.
func (s *seen) runs(start startOf) bool {
	m, known := s.members[start.member]
	return known && m.lost.member == "" && m.boot == start.boot
}

// endOf returns the end of a member that has stopped. For a keeper it is not later than its last message.
func (s *seen) endOf(f former) time.Time {
	lost := s.members[f.member].lost
	if f.keeper && lost.boot == f.boot && lost.member != "" && lost.ended.Before(f.ended) {
		return lost.ended
	}
	return f.ended
}

func (s *seen) hasHandedOver(f former) bool {
	handed, gone := s.handed[f.member]
	return gone && handed.boot == f.boot
}

// formerOf returns the former homes of an author, and also its keepers if it is connected nowhere or here.
func (s *seen) formerOf(author string, home *member) []former {
	if home == s.self {
		return s.held[author]
	}
	if home != nil {
		return s.formerHomes(author)
	}
	return append(s.formerHomes(author), s.keepers(author)...)
}

// formerHomes returns the former homes of an author, the members that were lost while they held it, and those that may
// be former homes of any author.
func (s *seen) formerHomes(author string) []former {
	list := s.former[author]
	list = list[:len(list):len(list)]
	for _, name := range s.directory.lostHolders(author) {
		if lost := s.members[name].lost; lost.member != "" {
			list = append(list, lost)
		}
	}
	return slices.AppendSeq(list, maps.Values(s.unnoted))
}

// keepers returns the members that kept an author before the live members changed, and those that may have held or kept
// it without the knowledge of this member.
func (s *seen) keepers(author string) (list []former) {
	for _, set := range s.earlier {
		f := set.ended
		f.member, f.keeper = rendezvous(set.names, author), true
		f.ahead = set.clocks[f.member]
		if f.boot = set.boots[f.member]; f.member != s.self.name {
			list = append(list, f)
		}
	}
	for _, f := range s.missed {
		list = append(list, f)
	}
	return list
}

// keep notes that this member keeps an author, or has held it until now. The ID may be a part of a message: the copy
// does not keep the message in memory. An assignment replaces the key of an entry, too.
func (s *seen) keep(author string) {
	if _, known := s.kept[author]; !known && len(s.kept) >= maxKeptAuthors {
		s.flooded = time.Now()
		clear(s.kept)
	}
	s.kept[strings.Clone(author)] = time.Now()
}
