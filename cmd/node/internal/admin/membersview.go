package admin

import (
	"cmp"
	"slices"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// membersView is the part of a view that describes the members; absent: the node is alone.
type membersView struct {
	Self   string        `json:"self"`
	List   []memberView  `json:"list"`   // by name
	Silent []string      `json:"silent"` // members whose numbers and peers are missing; never nil
	Total  memberNumbers `json:"total"`  // over all that have answered, this one included
}

// memberView is one member. Times are Unix milliseconds.
type memberView struct {
	Name        string         `json:"name"`
	Address     string         `json:"address"`
	State       string         `json:"state"` // alive, draining or lost
	Self        bool           `json:"self"`
	Connections int            `json:"connections"` // by its last message
	Max         int            `json:"max"`
	Heard       int64          `json:"heard"`
	Version     string         `json:"version"` // empty: it has not answered
	Uptime      float64        `json:"uptime"`  // seconds
	Numbers     *memberNumbers `json:"numbers"` // null: it has not answered, or was not asked yet
}

// memberNumbers are the numbers of one member, or of all.
type memberNumbers struct {
	Row         row               `json:"row"`
	Members     int               `json:"members,omitempty"` // whose numbers these are; absent: one
	Peers       int               `json:"peers"`             // connected ones
	Established int               `json:"established"`
	Pending     int               `json:"pending"`
	Max         int               `json:"max"`
	Known       int               `json:"known,omitempty"` // absent from totals: many peers are in several peer books
	Goroutines  int               `json:"goroutines"`
	Heap        uint64            `json:"heap"`
	Counters    map[string]uint64 `json:"counters"` // those that the page shows
}

// shownCounters returns the names of the counters that the page shows.
func shownCounters() []string {
	names := []string{"messagesReceived", "messagesSent"}
	for _, d := range dropReasons() {
		names = append(names, d.counter)
	}
	return names
}

// numbersOfView returns the numbers of this member, of which peers are connected.
func numbersOfView(v *view, peers int) memberNumbers {
	return memberNumbers{
		Row: v.Row, Peers: peers, Established: v.Established, Pending: v.Pending, Max: v.Max, Known: v.Known,
		Goroutines: v.Goroutines, Heap: v.Heap, Counters: pick(v.Counters),
	}
}

// numbersOfMember returns the numbers of another member by its last answer.
func numbersOfMember(s *memberState) memberNumbers {
	o, c := &s.overview, s.overview.Status.Connections
	return memberNumbers{
		Row: s.row, Peers: o.Load.Peers, Established: c.Established, Pending: c.Pending, Max: c.Max, Known: o.Known,
		Goroutines: o.Status.Goroutines, Heap: o.Status.HeapBytes, Counters: pick(o.Status.Counters),
	}
}

// pick returns the counters that the page shows.
func pick(counters map[string]uint64) map[string]uint64 {
	picked := make(map[string]uint64)
	for _, name := range shownCounters() {
		picked[name] = counters[name]
	}
	return picked
}

// sum returns the totals of several members. The median round trip is that of the member in the middle, if each member
// counts as many times as it has connected peers.
func sum(list []memberNumbers) memberNumbers {
	total := memberNumbers{Counters: pick(nil), Members: len(list)}
	for _, n := range list {
		total.Peers, total.Established, total.Pending = total.Peers+n.Peers, total.Established+n.Established,
			total.Pending+n.Pending
		total.Max, total.Goroutines = total.Max+n.Max, total.Goroutines+n.Goroutines
		total.Heap += n.Heap
		for name, value := range n.Counters {
			total.Counters[name] += value
		}
		for _, column := range []int{
			colReceived, colSent, colBytesIn, colBytesOut, colDrops, colQueued, colEstablished,
		} {
			total.Row[column] += n.Row[column]
		}
		total.Row[colTime] = max(total.Row[colTime], n.Row[colTime])
		total.Row[colRTTMax] = max(total.Row[colRTTMax], n.Row[colRTTMax])
		if trip := n.Row[colRTTMin]; trip > 0 && (total.Row[colRTTMin] == 0 || trip < total.Row[colRTTMin]) {
			total.Row[colRTTMin] = trip
		}
	}
	total.Row[colRTTMedian] = medianTrip(list)
	return total
}

// medianTrip returns the median of the members' median round trips, weighted with their connected peers; 0: none.
func medianTrip(list []memberNumbers) float64 {
	measured := slices.DeleteFunc(slices.Clone(list), func(n memberNumbers) bool { return n.Row[colRTTMedian] <= 0 })
	slices.SortFunc(measured, func(a, b memberNumbers) int {
		return cmp.Compare(a.Row[colRTTMedian], b.Row[colRTTMedian])
	})
	all := 0
	for _, n := range measured {
		all += max(n.Peers, 1)
	}
	for _, n := range measured {
		if all -= 2 * max(n.Peers, 1); all <= 0 {
			return n.Row[colRTTMedian]
		}
	}
	return 0
}

// view describes the members in list. v is the view of this one, of whose peers connected are connected.
func (p *poller) view(list []output.Member, v *view, connected int) *membersView {
	all := &membersView{List: []memberView{}, Silent: []string{}}
	own := numbersOfView(v, connected)
	var numbers []memberNumbers
	for _, m := range list {
		shown := memberView{
			Name: m.Name, Address: name(m.Address), State: m.State, Self: m.Self, Connections: m.Connections, Max: m.Max,
			Heard: milliseconds(m.LastHeard),
		}
		switch s := p.current(m); {
		case m.Self:
			all.Self, shown.Numbers, shown.Uptime = m.Name, &own, v.Uptime
			if m.State == output.MemberDraining && v.State != "stopping" {
				v.State = m.State // and not "dialling", although it accepts no peer
			}
			shown.Connections, shown.Max = own.Established, own.Max
		case s != nil:
			theirs := numbersOfMember(s)
			shown.Numbers, shown.Version, shown.Uptime = &theirs, name(s.overview.Status.Version), s.overview.Status.Uptime
			shown.Connections, shown.Max = theirs.Established, theirs.Max
		case m.State == output.MemberLost || p.states[m.Name] != nil && p.states[m.Name].asked:
			all.Silent = append(all.Silent, m.Name)
		}
		if shown.Numbers != nil {
			numbers = append(numbers, *shown.Numbers)
		}
		all.List = append(all.List, shown)
	}
	all.Total = sum(numbers)
	return all
}

// current returns the state of another member if it has answered and is not known as lost since, else nil.
func (p *poller) current(m output.Member) *memberState {
	if s := p.states[m.Name]; s != nil && s.answered && m.State != output.MemberLost {
		return s
	}
	return nil
}

// memberRow is the entry of a peer in the list of one member.
type memberRow struct {
	output.MemberPeer
	queuedBytes int
}

// rows returns the entries of this member's own peers and of those of the members that have answered.
func (p *poller) rows(list []output.Member, own []*output.Peer, queuedBytes map[string]int) (rows []memberRow) {
	for _, m := range list {
		if m.Self {
			for _, peer := range own {
				rows = append(rows, memberRow{output.MemberPeer{Peer: peer, From: m.Name}, queuedBytes[peer.ID]})
			}
			continue
		}
		s := p.current(m)
		if s == nil {
			continue
		}
		for _, page := range s.pages {
			for i := range page.peers {
				peer := &page.peers[i]
				rows = append(rows, memberRow{output.MemberPeer{Peer: peer, From: m.Name}, page.queuedBytes[peer.ID]})
			}
		}
	}
	return rows
}

// mergeRows returns the first maxPeers peers in the order of comparePeers, each once, the bytes that wait for them, and
// the number of all.
func mergeRows(rows []memberRow, home func(peer string) string) (
	list []*output.Peer, queuedBytes map[string]int, all int,
) {
	best := make(map[string]memberRow, len(rows))
	for _, row := range rows {
		key := peerKey(row.Peer)
		if known, found := best[key]; !found || row.Better(known.MemberPeer, home) {
			best[key] = row
		}
	}
	queuedBytes = make(map[string]int)
	list = make([]*output.Peer, 0, len(best))
	for _, row := range best {
		list = append(list, row.Peer)
		if row.queuedBytes > 0 {
			queuedBytes[row.ID] = row.queuedBytes
		}
	}
	slices.SortFunc(list, comparePeers)
	return list[:min(len(list), maxPeers)], queuedBytes, len(list)
}
