package peerbook

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// ErrClock means that a change of another member of a cluster is stamped too far ahead of this member's clock.
var ErrClock = errors.New("a change is stamped more than 10 minutes ahead of the clock here: correct the clocks")

// maxAhead is the time by which a stamp may be ahead of the clock: a change with a wrong date must not win for years.
const maxAhead = 10 * time.Minute

// RecordKind is the type of a record's subject.
type RecordKind byte

// The kinds.
const (
	RecordKey     RecordKind = 'k' // subject: public key, 32 bytes; value: "allow" or "revoke"
	RecordMode    RecordKind = 'm' // no subject; value: AuthMode.String
	RecordAlias   RecordKind = 'n' // subject: node ID; value: the alias, or empty
	RecordSuspend RecordKind = 's' // subject: node ID; value: the end, RFC 3339, or empty

	// RecordForget removes the entry of a node ID that was not seen since. It is carried out once. The latest maxForgets
	// are kept for members that cannot be reached.
	RecordForget RecordKind = 'f'
)

const maxForgets = 4096

const (
	valueAllow  = "allow"
	valueRevoke = "revoke"
)

// Record is the last change by an operator of one subject. Members of a cluster exchange records. Of two for one
// subject all keep the same one.
type Record struct {
	Kind    RecordKind
	Subject string
	Value   string
	Stamp   uint64 // nanoseconds of a hybrid clock since 1970; 0: of a release without stamps
}

// Key identifies the subject of a record: its kind and Subject.
func (r Record) Key() string { return string(rune(r.Kind)) + r.Subject }

func (r Record) time() time.Time { return time.Unix(0, int64(r.Stamp)) } //nolint:gosec // until the year 2262

// beats reports whether r takes the place of o: the later one wins. Of two with one stamp, a revocation and the mode
// allowlist win.
func (r Record) beats(o Record) bool {
	order := cmp.Compare(r.Stamp, o.Stamp)
	return cmp.Or(order, cmp.Compare(r.weight(), o.weight()), strings.Compare(r.Value, o.Value)) > 0
}

func (r Record) weight() int {
	if r.Value == valueRevoke || r.Kind == RecordMode && r.Value == AuthAllowlist.String() {
		return 1
	}
	return 0
}

// check returns an error if the book can have no such record.
func (r Record) check() (err error) {
	switch r.Kind {
	case RecordKey:
		if len(r.Subject) != crypto.KeySize || r.Value != valueAllow && r.Value != valueRevoke {
			return errRecord
		}
		return checkKeys([]crypto.PublicKey{crypto.PublicKey([]byte(r.Subject))})
	case RecordMode:
		_, err = ParseAuthMode(r.Value)
	case RecordAlias:
		if r.Value != "" {
			err = CheckAlias(r.Value)
		}
	case RecordSuspend:
		if r.Value != "" {
			_, err = time.Parse(time.RFC3339, r.Value)
		}
	case RecordForget:
	default:
		return errRecord
	}
	if err == nil && len(r.Subject) > maxPeerID {
		return errRecord
	}
	return err
}

var errRecord = errors.New("a record of the peer book is malformed")

// RecordShelves is the number of shelves of records. Each has a sum, so that two members find out where they differ.
const RecordShelves = 256

// records holds the records of a book. Not safe for concurrent use.
type records struct {
	shelves [RecordShelves]map[string]Record // by Record.Key
	sums    [RecordShelves]uint64            // of the records' hashes
	last    uint64                           // highest stamp
	forgets int                              // of RecordForget
}

func shelfOf(key string) byte { return sha256.Sum256([]byte(key))[0] }

func (r Record) hash() uint64 {
	text := binary.BigEndian.AppendUint64([]byte(r.Key()), r.Stamp)
	sum := sha256.Sum256(append(text, r.Value...))
	return binary.BigEndian.Uint64(sum[:])
}

func (s *records) get(key string) (Record, bool) {
	r, known := s.shelves[shelfOf(key)][key]
	return r, known
}

func (s *records) set(r Record) {
	key := r.Key()
	shelf := shelfOf(key)
	if old, known := s.shelves[shelf][key]; known {
		s.sums[shelf] ^= old.hash()
	}
	if s.shelves[shelf] == nil {
		s.shelves[shelf] = make(map[string]Record)
	}
	if _, known := s.shelves[shelf][key]; !known && r.Kind == RecordForget {
		s.forgets++
	}
	s.shelves[shelf][key] = r
	s.sums[shelf] ^= r.hash()
	s.last = max(s.last, r.Stamp)
}

// drop removes a RecordForget.
func (s *records) drop(key string) {
	shelf := shelfOf(key)
	if old, known := s.shelves[shelf][key]; known {
		s.sums[shelf] ^= old.hash()
		delete(s.shelves[shelf], key)
		s.forgets--
	}
}

// surplus returns the keys of the RecordForget that are too many after list is entered: the earliest, and of one stamp
// those with the smallest keys. So all members keep the same ones.
func (s *records) surplus(list []Record) (keys []string) {
	if s.forgets+len(list) <= maxForgets {
		return nil
	}
	all := make(map[string]uint64, s.forgets+len(list)) // stamps by key
	enter := func(r Record) {
		if r.Kind == RecordForget {
			all[r.Key()] = r.Stamp
		}
	}
	for _, shelf := range s.shelves {
		for _, r := range shelf {
			enter(r)
		}
	}
	for _, r := range list {
		enter(r)
	}
	if len(all) <= maxForgets {
		return nil
	}
	keys = slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[a], all[b]), strings.Compare(a, b))
	})
	return keys[:len(keys)-maxForgets]
}

// stamp returns the stamp of a change at a time: later than all known ones.
func (s *records) stamp(at time.Time) uint64 {
	return max(uint64(max(at.UnixNano(), 1)), s.last+1) //nolint:gosec // positive
}

// RecordSums returns a sum for each shelf of the records. Books with equal sums have equal records.
func (b *Book) RecordSums() [RecordShelves]uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.records.sums
}

// RecordDigest returns one sum of all records.
func (b *Book) RecordDigest() (digest uint64) {
	for _, sum := range b.RecordSums() {
		digest ^= sum
	}
	return digest
}

// Records returns the first n records of a shelf after one with this key, by key; after "" the first.
func (b *Book) Records(shelf byte, after string, n int) []Record {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var list []Record
	for key, r := range b.records.shelves[shelf] {
		if key > after {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(a.Key(), b.Key()) })
	return list[:min(n, len(list))]
}

// Merge enters the records of another member that are later than those of this book, and returns how many. They are on
// disk when it returns. now is the clock of this member. The errors are ErrClock and malformed records, without which
// the others were entered, and ErrWrite, after which nothing has changed.
func (b *Book) Merge(list []Record, now time.Time) (entered int, err error) {
	var refused error
	usable := make([]Record, 0, len(list))
	latest := uint64(max(now.Add(maxAhead).UnixNano(), 0)) //nolint:gosec // positive
	for _, r := range list {
		switch err := r.check(); {
		case err != nil:
			refused = cmp.Or(refused, fmt.Errorf("%w: %w", errRecord, err))
		case r.Stamp > latest:
			refused = cmp.Or(refused, ErrClock)
		default:
			usable = append(usable, r)
		}
	}
	var later []Record
	err = b.commitRecords(func() ([]Record, error) {
		later = b.later(usable)
		return later, nil
	})
	if err != nil {
		return 0, err
	}
	return len(later), refused
}

// later returns the records that take the place of those of this book. Of two peers with one alias, the later keeps it.
// b.mu is held.
func (b *Book) later(list []Record) (later []Record) {
	owners := make(map[string]string)
	for _, r := range list {
		if r.Kind == RecordAlias && r.Value != "" {
			owner := cmp.Or(owners[r.Value], b.owners[r.Value])
			if held, known := b.records.get(Record{Kind: RecordAlias, Subject: owner}.Key()); known && owner != r.Subject {
				loser := Record{Kind: RecordAlias, Subject: owner, Stamp: max(r.Stamp, held.Stamp)}
				if held.Stamp > r.Stamp || held.Stamp == r.Stamp && owner > r.Subject {
					loser.Subject = r.Subject
					r = loser
				} else {
					later = append(later, loser)
				}
			}
			owners[r.Value] = r.Subject
		}
		if held, known := b.records.get(r.Key()); !known || r.beats(held) {
			later = append(later, r)
		}
	}
	return later
}
