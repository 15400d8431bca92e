package cluster

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/dedup"
)

// check is an entry of kindCheck: a question about a message; with anyEntries, whether the asked member has entries of
// the author; with token, the request to take a token of the author, which the asked member holds.
type check struct {
	author string
	digest dedup.Digest
	stamp  time.Time
	first  bool // the asked member is the home or the keeper of the author

	converted bool // stamp is on the clock of the asked member; earlier versions do not convert it
	adjusted  bool // see stamped; only with converted
	latest    bool // see stamped; only with converted

	anyEntries bool // digest, stamp and first are not set
	token      bool // neither are they, nor anyEntries
}

// checked is an entry of kindChecked.
type checked struct {
	verdict seenVerdict
	former  []string // further members to ask
	boot    uint64   // of the answering member, from the head
}

// seenVerdict is a verdict between members.
type seenVerdict uint8

const (
	seenUnknown   seenVerdict = iota // not decided: the asked member is not the home
	seenFresh                        // anyEntries: there are none
	seenDuplicate                    // anyEntries: there may be some
	seenStale
	seenFull
	seenOverRate // token: there is none
)

// maxFurther is the largest number of further members in an answer.
const maxFurther = maxMembers - 1

// onCheck answers the checks of another member. The bus calls it, one at a time; it does not wait.
func (e *Engine) onCheck(d Delivery) {
	ask, err := decode(d.Body)
	switch {
	case err != nil:
		e.dropped(err)
		return
	case ask.kind != kindCheck || d.Respond == nil:
		e.unknown()
		return
	}
	e.answering.RLock()
	defer e.answering.RUnlock()
	if e.handing { // the entries are on their way to the other members
		e.refused()
		return
	}
	answer := &message{head: e.head(kindChecked), checked: make([]checked, len(ask.checks))}
	for i := range ask.checks {
		answer.checked[i] = e.seen.answer(ask, &ask.checks[i])
	}
	d.Respond(answer.encode())
}

// answer returns the answer to one check.
func (s *seen) answer(by *message, c *check) checked {
	if c.token {
		if s.local.TakeToken(c.author) {
			return checked{verdict: seenFresh}
		}
		return checked{verdict: seenOverRate}
	}
	home := s.directory.home(c.author)
	switch {
	case c.anyEntries && s.hasEntries(c.author, by):
		return checked{verdict: seenDuplicate}
	case c.anyEntries:
		return checked{verdict: seenFresh}
	case c.first && home != nil && home != s.self:
		return checked{verdict: seenUnknown}
	}
	former, stale := s.consultFor(c, by.from, home)
	if stale {
		return checked{verdict: seenStale}
	}
	switch s.local.Seen(by.from, c.digest) {
	case actors.Fresh:
		return checked{verdict: seenFresh, former: former}
	case actors.Full:
		return checked{verdict: seenFull}
	default:
		return checked{verdict: seenDuplicate}
	}
}

// consultFor is consult for the check of another member.
func (s *seen) consultFor(c *check, asker string, home *member) (former []string, stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if home != s.self {
		s.keep(c.author)
	}
	return s.consult(c.author, s.stampOf(c, asker), home)
}
