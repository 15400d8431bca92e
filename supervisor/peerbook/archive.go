package peerbook

import (
	"errors"
	"fmt"
	"maps"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrRead means that an entry on disk cannot be read.
var ErrRead = errors.New("the peer book cannot be read")

// Buckets of the archive. A transaction changes all of them together.
var (
	bucketArchive = []byte("archive")      // node ID → Peer as JSON
	bucketOrder   = []byte("archiveOrder") // orderKey → Peer.bytes, 2 bytes
	bucketTexts   = []byte("archiveTexts") // nameKey or addressKey → nothing
)

const (
	maxSameName   = 100  // peers of one name that a search returns from the archive: those that have it longest
	maxSamePrefix = 1000 // peers of one prefix
)

// archive holds the entries that are not in memory. Changes wait in memory for the next transaction of the book, and
// win over the file until then. It is empty without a file. Safe for concurrent reads.
type archive struct {
	db    *bolt.DB    // nil: no file
	fault func(error) // reports an ErrRead; never nil
	guard func(transact func() error) error

	count   int              // entries
	bytes   int64            // sum of Peer.bytes
	changed map[string]*Peer // waiting changes by ID; nil: removed
	writing map[string]*Peer // changes in the present transaction
	discard bool             // all entries of the file are removed by the next transaction
	failing bool             // the last transaction has failed
}

func newArchive() archive {
	return archive{changed: make(map[string]*Peer), fault: func(error) {}, guard: guardFaults}
}

// waiting returns the entry of a change that is not on disk, nil for a removed one, and whether there is a change.
func (a *archive) waiting(id string) (p *Peer, waits bool) {
	if p, waits = a.changed[id]; !waits {
		p, waits = a.writing[id]
	}
	return p, waits
}

// eachWaiting calls do for each entry that is not on disk.
func (a *archive) eachWaiting(do func(*Peer)) {
	for _, p := range a.changed {
		if p != nil {
			do(p)
		}
	}
	for id, p := range a.writing {
		if _, again := a.changed[id]; !again && p != nil {
			do(p)
		}
	}
}

// read calls do with the buckets. After a fault the entries that do has not seen are missing for the caller.
func (a *archive) read(do func(s *shelves) error) {
	if a.count == 0 || a.db == nil || a.discard {
		return
	}
	err := a.guard(func() error {
		return a.db.View(func(tx *bolt.Tx) error {
			if s := openShelves(tx); s != nil {
				return do(s)
			}
			return nil
		})
	})
	if err != nil {
		a.unreadable(err)
	}
}

func (a *archive) get(id string) (p Peer, known bool) {
	if a.count == 0 {
		return Peer{}, false // nearly every book
	}
	if waiting, waits := a.waiting(id); waits {
		if waiting == nil {
			return Peer{}, false
		}
		return *waiting, true
	}
	return a.stored(id)
}

// stored returns an entry of the file. It is apart from get because its closure moves the result to the heap.
func (a *archive) stored(id string) (p Peer, known bool) {
	a.read(func(s *shelves) (err error) {
		p, known, err = s.get(id)
		return err
	})
	return p, known
}

func (a *archive) put(p Peer) {
	a.drop(p.ID)
	a.changed[p.ID] = &p
	a.count++
	a.bytes += int64(p.bytes())
}

// drop removes an entry and reports whether there was one.
func (a *archive) drop(id string) bool {
	p, known := a.get(id)
	if known {
		a.remove(id, p.bytes())
	}
	return known
}

// remove is drop for an entry whose size is known.
func (a *archive) remove(id string, size int) {
	a.changed[id] = nil
	a.count--
	a.bytes -= int64(size)
}

// clear removes all entries.
func (a *archive) clear() {
	clear(a.changed)
	a.count, a.bytes, a.discard = 0, 0, true
}

// collect returns the waiting changes, for one transaction.
func (a *archive) collect() (changes map[string]*Peer, discard bool) {
	a.writing, a.changed = a.changed, make(map[string]*Peer)
	return a.writing, a.discard
}

// written ends a transaction that has succeeded.
func (a *archive) written() { a.writing, a.discard, a.failing = nil, false, false }

// unwritten ends a transaction that has failed. Its changes wait again, unless there are later ones.
func (a *archive) unwritten() {
	for id, p := range a.writing {
		if _, again := a.changed[id]; !again {
			a.changed[id] = p
		}
	}
	a.writing, a.failing = nil, true
}

// full reports whether the disk refuses writes, and at least n changes wait for it.
func (a *archive) full(n int) bool { return a.failing && len(a.changed)+len(a.writing) >= n }

// each calls do for each entry, in any order.
func (a *archive) each(do func(*Peer)) {
	a.eachWaiting(do)
	a.read(func(s *shelves) error {
		return s.from(nil, func(id string, data []byte) (more bool, err error) {
			a.pass(id, data, do)
			return true, nil
		})
	})
}

// pass decodes an entry of the file and calls do, unless a change of the entry waits. One that cannot be read is
// reported, and missing for the caller.
func (a *archive) pass(id string, data []byte, do func(*Peer)) {
	if _, waits := a.waiting(id); waits {
		return
	}
	p, err := decodePeer(id, data)
	if err != nil {
		a.unreadable(err)
		return
	}
	do(&p)
}

func (a *archive) unreadable(err error) { a.fault(fmt.Errorf("%w: %s: %w", ErrRead, a.db.Path(), err)) }

// page returns at least the first n entries after an ID, or all. last is the ID up to which they are complete; "": to
// the end.
func (a *archive) page(after string, n int) (found []Peer, last string) {
	collect := func(p *Peer) { found = append(found, *p) }
	a.read(func(s *shelves) error {
		return s.from([]byte(after), func(id string, data []byte) (bool, error) {
			if id == after {
				return true, nil
			}
			if len(found) == n {
				return false, nil
			}
			last = id
			a.pass(id, data, collect)
			return true, nil
		})
	})
	if len(found) < n {
		last = ""
	}
	a.eachWaiting(func(p *Peer) {
		if p.ID > after && (last == "" || p.ID <= last) {
			collect(p)
		}
	})
	return found, last
}

// find returns the peers that answer to text: at most maxSamePrefix by a prefix and maxSameName by their name.
func (a *archive) find(text string, minPrefix int) []Peer {
	found := make(map[string]Peer)
	collect := func(p *Peer) { found[p.ID] = *p }
	a.eachWaiting(func(p *Peer) {
		if p.answersTo(text, minPrefix) {
			collect(p)
		}
	})
	a.read(func(s *shelves) error {
		for _, id := range s.matching(text, minPrefix) {
			if p, known, err := s.get(id); err != nil {
				a.unreadable(err)
			} else if _, waits := a.waiting(id); known && !waits && p.answersTo(text, minPrefix) {
				collect(&p)
			}
		}
		return nil
	})
	list := make([]Peer, 0, len(found))
	for p := range maps.Values(found) {
		list = append(list, p)
	}
	return list
}

// at returns the peers, in any order, whose Address is address: all that wait, and the first 2 of the file.
func (a *archive) at(address string) (found []Peer) {
	a.eachWaiting(func(p *Peer) {
		if p.Address == address {
			found = append(found, *p)
		}
	})
	a.read(func(s *shelves) error {
		for _, id := range s.withText(addressPrefix(address), 2) {
			if p, known, err := s.get(id); err != nil {
				a.unreadable(err)
			} else if _, waits := a.waiting(id); known && !waits && p.Address == address {
				found = append(found, p)
			}
		}
		return nil
	})
	return found
}

// oldest returns entries of one value of returning that satisfy ok and were last seen before a time; zero: at any time.
// These are all that wait, and up to n of the file, in the order of eviction.
func (a *archive) oldest(n int, returning bool, before time.Time, ok func(id string) bool) (list []aged) {
	older := func(age aged) bool { return before.IsZero() || age.seen.Before(before) }
	a.eachWaiting(func(p *Peer) {
		if age := p.age(); age.returning == returning && older(age) && ok(age.id) {
			list = append(list, age)
		}
	})
	a.read(func(s *shelves) error {
		return s.oldest(returning, func(age aged) (more bool) {
			if _, waits := a.waiting(age.id); !waits && older(age) && ok(age.id) {
				list = append(list, age)
				n--
			}
			return n > 0 && older(age)
		})
	})
	return list
}
