package admin

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/supervisor"
)

// Bounds of the journal: strangers cause most entries, and choose some of their text.
const (
	journalSize = 200
	maxText     = 200 // characters of an entry
	maxName     = 64  // characters of a name
)

// mood is how an entry is meant.
type mood string

const (
	calm    mood = "info"
	good    mood = "good"
	warning mood = "warn"
	bad     mood = "bad"
)

// entry is one line of the dashboard's log.
type entry struct {
	Seq  uint64 `json:"seq"` // from 1
	Time int64  `json:"t"`   // Unix milliseconds
	Mood mood   `json:"mood"`
	Kind string `json:"kind"`
	Peer string `json:"peer,omitempty"` // node ID
	Text string `json:"text"`
}

// journal keeps the last entries. Safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	entries []entry // a ring, once it is full
	last    uint64
}

func newJournal() *journal { return &journal{entries: make([]entry, 0, journalSize)} }

func (j *journal) add(e entry, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e.Seq, e.Time, e.Text = j.last, now.UnixMilli(), printable.Cut(printable.Line(e.Text), maxText)
	if len(j.entries) < journalSize {
		j.entries = append(j.entries, e)
		return
	}
	j.entries[(j.last-1)%journalSize] = e
}

// since returns the entries after seq that are still there, the oldest first.
func (j *journal) since(seq uint64) []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := max(seq+1, j.last-uint64(len(j.entries))+1)
	var found []entry
	for s := first; s <= j.last; s++ {
		found = append(found, j.entries[(s-1)%journalSize])
	}
	return found
}

// event notes what the transport reports.
func (j *journal) event(e supervisor.Event, now time.Time) {
	switch e := e.(type) {
	case supervisor.PeerUp:
		text := fmt.Sprintf("%s is connected, %s, %s", word(e.Name), e.Direction, word(e.Address))
		if !e.Verified {
			text += ", not proven yet"
		}
		j.add(entry{Mood: good, Kind: "connected", Peer: e.Peer, Text: text}, now)
	case supervisor.PeerVerified:
		j.add(entry{Mood: good, Kind: "proven", Peer: e.Peer, Text: "has proved that it holds its key"}, now)
	case supervisor.PeerDown:
		text := fmt.Sprintf("has gone: %s (%s)", printable.Cut(printable.Text(e.Reason), maxName), e.Code)
		if e.Remote {
			text += ", closed by the peer"
		}
		j.add(entry{Mood: warning, Kind: "disconnected", Peer: e.Peer, Text: text}, now)
	case supervisor.PeerMoved:
		j.add(entry{Mood: warning, Kind: "moved", Peer: e.Peer, Text: fmt.Sprintf("moved from connection %d to %d", e.From, e.To)}, now)
	case supervisor.DowngradeRefused:
		text := fmt.Sprintf("connection %d from %s was closed: a frame was sealed for another connection", e.Connection, word(e.Address))
		j.add(entry{Mood: bad, Kind: "refused", Text: text}, now)
	case supervisor.DialFailed:
		text := fmt.Sprintf("%s cannot be reached: %s; next try in %s",
			word(e.Address), printable.Cut(printable.Line(cause(e.Err).Error()), 2*maxName), e.RetryIn.Round(100*time.Millisecond))
		j.add(entry{Mood: warning, Kind: "dial failed", Text: text}, now)
	case supervisor.ListenerDown:
		text := fmt.Sprintf("no peer can connect any more: %s", printable.Cut(printable.Line(e.Err.Error()), 2*maxName))
		j.add(entry{Mood: warning, Kind: "listening ended", Text: text}, now)
	}
}

// cause leaves out of a network error what the entry says anyway: which address it was.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// name makes a name that a peer has chosen fit to be shown.
func name(text string) string { return printable.Cut(printable.Text(text), maxName) }

// word is name for the middle of a sentence: one with spaces is quoted.
func word(text string) string { return printable.Cut(printable.Word(text), maxName) }
