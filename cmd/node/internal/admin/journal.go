package admin

import (
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
)

// Bounds of the journal. Unknown peers cause most entries and choose parts of their text.
const (
	journalSize = 200
	maxText     = 200 // characters of an entry
	maxName     = 64  // characters of a name
)

// mood is the severity of an entry.
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

// journal keeps the last journalSize entries. Safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	entries []entry // a ring once full
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

// since returns the stored entries after seq, oldest first.
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
