package admin

import (
	"context"
	"sync"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// Members gives access to the members of a node that several processes share. Safe for concurrent use.
type Members interface {
	// List returns the known members by name, this one included.
	List() []output.Member
	// Home returns the member that holds the connection of a peer, or "".
	Home(peer string) string
	// Overview asks another member for its state and at most limit of its peers behind a cursor.
	Overview(ctx context.Context, member, after string, limit int) (output.Overview, error)
}

// Limits of the questions of one round.
const (
	minMemberPage = 25 // peers asked for in one question
	maxMemberPage = 250
	maxPages      = 4 // of a member
)

// poller asks the other members, with one question to each in a round, while a dashboard is open. A round runs beside
// the samples: a sample shows the answers of the round that the sample before has begun, so that a member that does not
// answer delays no sample. Peers are read in pages, one with each question. Owned by the goroutine of the monitor.
type poller struct {
	members Members
	round   chan []memberAnswer // of the round in progress, capacity 1; nil: none
	states  map[string]*memberState
	rounds  sync.WaitGroup
}

// memberAnswer is the answer of one member in a round.
type memberAnswer struct {
	name     string
	overview output.Overview
	err      error
}

func newPoller(members Members) *poller {
	return &poller{members: members, states: make(map[string]*memberState)}
}

// collect takes the answers of the round in progress, if it has ended, and removes members that are not in list.
func (p *poller) collect(list []output.Member) {
	select {
	case answers := <-p.round:
		p.round = nil
		for _, a := range answers {
			if s := p.states[a.name]; s != nil {
				s.take(a)
			}
		}
	default: // also without a round: its channel is nil
	}
	here := make(map[string]bool, len(list))
	for _, m := range list {
		here[m.Name] = true
	}
	for name := range p.states {
		if !here[name] {
			delete(p.states, name)
		}
	}
}

// begin begins a round, unless one is in progress. It ends with ctx.
func (p *poller) begin(ctx context.Context, list []output.Member) {
	if p.round != nil {
		return
	}
	limit := pageSize(len(list) - 1)
	answers := make([]memberAnswer, 0, len(list))
	var cursors []string
	for _, m := range list {
		if m.Self {
			continue
		}
		s := p.states[m.Name]
		if s == nil {
			s = &memberState{}
			p.states[m.Name] = s
		}
		answers, cursors = append(answers, memberAnswer{name: m.Name}), append(cursors, s.after)
	}
	round := make(chan []memberAnswer, 1)
	p.round = round
	p.rounds.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		var asked sync.WaitGroup
		for i := range answers {
			asked.Go(func() {
				a := &answers[i]
				a.overview, a.err = p.members.Overview(ctx, a.name, cursors[i], limit)
			})
		}
		asked.Wait()
		round <- answers
	})
}

// pageSize returns the number of peers in a question, so that all answers of a round have about maxPeers.
func pageSize(others int) int {
	return min(max(maxPeers/max(others, 1), minMemberPage), maxMemberPage)
}

// reset forgets all answers: the last dashboard was closed.
func (p *poller) reset() {
	p.round = nil // a round in progress ends in its buffered channel
	clear(p.states)
}

// memberState is the last answer of a member, with its peers of earlier rounds.
type memberState struct {
	asked    bool // a round with the member has ended
	answered bool // in the last round
	overview output.Overview
	row      row // rates since the answer before

	pages []memberPage // of one pass over the member's peers
	page  int          // index of the next page
	after string       // its cursor
}

// memberPage is one page of a member's peers.
type memberPage struct {
	peers       []output.Peer
	queuedBytes map[string]int
}

// take takes the answer of a round. A member that has not answered has no peers and numbers until it does.
func (s *memberState) take(a memberAnswer) {
	if a.err != nil {
		*s = memberState{asked: true}
		return
	}
	before := s.overview.Status
	if !s.answered {
		before.Counters = nil
	}
	now := a.overview.Status
	s.row = ratesOf(now.Counters, before.Counters, now.Uptime-before.Uptime)
	s.row.measure(a.overview.Load)
	s.row[colEstablished] = float64(now.Connections.Established)
	s.asked, s.answered, s.overview = true, true, a.overview
	s.addPage(memberPage{a.overview.Peers, a.overview.QueuedBytes}, a.overview.Next)
	s.overview.Peers, s.overview.QueuedBytes = nil, nil
}

// addPage replaces the page that was asked for. The last page of the member ends a pass; so does page maxPages.
func (s *memberState) addPage(page memberPage, next string) {
	if s.page == len(s.pages) {
		s.pages = append(s.pages, memberPage{})
	}
	s.pages[s.page] = page
	if next == "" || s.page == maxPages-1 {
		s.pages = s.pages[:s.page+1]
		s.page, s.after = 0, ""
		return
	}
	s.page, s.after = s.page+1, next
}

// add adds the members to the view of this one, and their peers to its own, of which connected are connected. Then it
// begins the next round, which ends with running. It returns the lists of mergeRows.
func (p *poller) add(
	running context.Context, v *view, connected int, own []*output.Peer, queuedBytes map[string]int,
) (list []*output.Peer, queued map[string]int, all int) {
	members := p.members.List()
	p.collect(members)
	v.Members = p.view(members, v, connected)
	for _, peer := range own {
		peer.SetMember(v.Members.Self)
	}
	list, queued, all = mergeRows(p.rows(members, own, queuedBytes), p.members.Home)
	p.begin(running, members)
	return list, queued, max(all, v.Members.Total.Peers)
}
