package cluster

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// kind is the type of a message.
type kind uint8

// The kinds. The first three are on the subject dir, and carry the number of the message in the member's sequence.
const (
	kindUpdate    kind = 1 // claims and releases
	kindHeartbeat kind = 2
	kindGoodbye   kind = 3

	kindClaim   kind = 10 // to the holder of a peer
	kindVerdict kind = 11 // the answer

	kindCheck    kind = 12 // to the home of an author: are these messages new
	kindChecked  kind = 13 // the answer
	kindHandover kind = 14 // on the subject dir, before the goodbye, without a number: entries of the set of messages

	kindSnapshot kind = 20 // request for a page of the sender's claims
	kindPage     kind = 21

	kindBookPut     kind = 30 // records of the peer book
	kindBookDone    kind = 31 // the answer, when they are on disk
	kindBookSumsAsk kind = 32 // request for the sums of the sender's records
	kindBookSums    kind = 33
	kindBookAsk     kind = 34 // request for a page of records
	kindBookPage    kind = 35
)

// Limits of received messages.
const (
	maxPeerID  = 64   // bytes of a node ID
	maxAddress = 255  // bytes of a member's address
	maxChanges = 2048 // claims, or releases, in one update
	maxPage    = 4096 // claims in one page of a snapshot
)

// holding is a peer with the term of its claim.
type holding struct {
	peer string
	term uint64
}

// message is a message between members, of any kind above. The fields depend on the kind.
type message struct {
	head

	seq           uint64 // dir: number in the sender's sequence; page: of the last message that the page includes
	claims        []holding
	releases      []release
	beat          heartbeat
	id            uint64 // claim, verdict: chosen by the claimant
	claim         supervisor.Claim
	answer        answer
	verdict       supervisor.ClaimVerdict
	offset, total uint64 // snapshot, page: index of the first claim, number of all
	checks        []check
	checked       []checked
	entries       []byte // handover
	pages         uint64 // goodbye: number of handovers plus one; 0: they are not all entries
	book          bookMessage
}

// heartbeat is the state that a member announces.
type heartbeat struct {
	state              supervisor.MemberState
	connections, limit uint64
	address            string
	book               uint64        // sum of all records of the peer book
	clock              int64         // Unix nanoseconds
	crash              uint64        // milliseconds since the last crash of a member, plus one; 0: none in one window
	crashAhead         time.Duration // clock of that member minus that of the sender; earlier versions do not send it
}

// answer is the decision of a verdict.
type answer uint8

const (
	answerRefused answer = iota
	answerGranted
	answerAgain // the sender does not hold the peer, or decides about another claim: ask again
	answerWait  // the sender decides: the answer follows
)

// encode returns the bytes of a message.
func (m *message) encode() []byte {
	b := m.head.appendTo(make([]byte, 0, 64+48*(len(m.claims)+len(m.releases))))
	switch m.kind {
	case kindUpdate:
		b = binary.AppendUvarint(b, m.seq)
		b = appendReleases(appendHoldings(b, m.claims), m.releases)
	case kindHeartbeat:
		b = binary.AppendUvarint(b, m.seq)
		b = append(b, byte(m.beat.state))
		b = binary.AppendUvarint(binary.AppendUvarint(b, m.beat.connections), m.beat.limit)
		b = appendText(b, m.beat.address)
		b = binary.BigEndian.AppendUint64(b, m.beat.book)
		b = binary.BigEndian.AppendUint64(b, uint64(m.beat.clock))
		b = binary.AppendUvarint(b, m.beat.crash)
		b = binary.AppendVarint(b, int64(m.beat.crashAhead))
	case kindGoodbye:
		b = binary.AppendUvarint(binary.AppendUvarint(b, m.seq), m.pages)
	case kindCheck:
		b = appendChecks(b, m.checks)
	case kindChecked:
		b = appendChecked(b, m.checked)
	case kindHandover:
		b = append(b, m.entries...)
	case kindClaim:
		b = binary.AppendUvarint(b, m.id)
		b = appendText(b, m.claim.Peer)
		b = append(b, byte(m.claim.Strength), flag(m.claim.Framed), flag(m.claim.Smaller), flag(m.claim.Expected))
		b = binary.AppendUvarint(b, uint64(max(m.claim.Proven, 0)))
		b = binary.AppendUvarint(b, uint64(max(m.claim.Born, 0)))
		b = appendText(b, m.claim.Address[:min(len(m.claim.Address), maxAddress)])
	case kindVerdict:
		b = binary.AppendUvarint(b, m.id)
		b = appendText(b, m.claim.Peer)
		b = append(b, byte(m.answer))
		b = binary.AppendUvarint(b, m.verdict.Term)
		b = append(binary.BigEndian.AppendUint64(b, math.Float64bits(m.verdict.Tokens)), flag(m.verdict.InUse))
	case kindSnapshot:
		b = binary.AppendUvarint(binary.AppendUvarint(b, m.seq), m.offset)
	case kindPage:
		b = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, m.seq), m.offset), m.total)
		b = appendHoldings(b, m.claims)
	case kindBookPut, kindBookDone, kindBookSumsAsk, kindBookSums, kindBookAsk, kindBookPage:
		b = m.book.append(b, m.kind)
	}
	return b
}

// decode returns the message in b. A message of unknown kind has only its head. The errors are those of
// readHead.
func decode(b []byte) (*message, error) {
	h, r, err := readHead(b)
	if err != nil {
		return nil, err
	}
	m := &message{head: h}
	switch m.kind {
	case kindUpdate:
		m.seq = r.uvarint()
		m.claims, m.releases = r.holdings(maxChanges), r.releases(maxChanges)
	case kindHeartbeat:
		m.seq = r.uvarint()
		m.beat = heartbeat{
			r.state(), r.number(), r.number(), r.text(maxAddress), r.uint64(), int64(r.uint64()),
			r.uvarint(), r.skew(),
		}
	case kindGoodbye:
		m.seq, m.pages = r.uvarint(), r.uvarint()
	case kindCheck:
		m.checks = r.checks()
	case kindChecked:
		m.checked = r.checkedList()
	case kindHandover:
		m.entries = r.take(uint64(len(r.rest)))
	case kindClaim:
		m.id, m.claim.Peer = r.uvarint(), r.text(maxPeerID)
		m.claim.Strength = min(actors.Strength(r.byte()), actors.Session) // a later version may know a greater one
		m.claim.Framed, m.claim.Smaller, m.claim.Expected = r.byte() != 0, r.byte() != 0, r.byte() != 0
		m.claim.Proven, m.claim.Born = r.duration(), r.duration()
		if r.more() {
			m.claim.Address = r.text(maxAddress)
		}
	case kindVerdict:
		m.id, m.claim.Peer = r.uvarint(), r.text(maxPeerID)
		m.answer, m.verdict.Term = answer(r.byte()), r.term()
		m.verdict.Tokens = r.tokens()
		m.verdict.InUse = r.more() && r.byte() != 0
	case kindSnapshot:
		m.seq, m.offset = r.uvarint(), r.uvarint()
	case kindPage:
		m.seq, m.offset, m.total = r.uvarint(), r.uvarint(), r.uvarint()
		m.claims = r.holdings(maxPage)
	case kindBookPut, kindBookDone, kindBookSumsAsk, kindBookSums, kindBookAsk, kindBookPage:
		m.book = r.book(m.kind)
	}
	if r.bad {
		return nil, errMessage
	}
	return m, nil
}

func appendHoldings(b []byte, list []holding) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, h := range list {
		b = binary.AppendUvarint(appendText(b, h.peer), h.term)
	}
	return b
}

func (r *reader) holdings(limit uint64) []holding {
	n := r.count(limit)
	list := make([]holding, 0, n)
	for range n {
		list = append(list, holding{r.text(maxPeerID), r.term()})
	}
	return list
}
