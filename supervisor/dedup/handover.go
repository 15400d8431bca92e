package dedup

import (
	"encoding/binary"
	"iter"
	"time"
)

// A member that leaves its node hands its entries over to the others, in pages:
//
//	window, nanoseconds (8) | entries as in the file, with ages
//
// All numbers are little-endian.
const (
	pageEntries = 2048
	pageHeader  = 8
	// MaxPage is the size of a page in bytes.
	MaxPage = pageHeader + pageEntries*entrySize
)

// Export returns the unexpired entries of the set's own run by pages, each a new slice. The set may be used meanwhile:
// later messages are in a page or not.
func (d *Set) Export(now time.Time) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		page := d.newPage()
		for i := range d.own.shards {
			for entries := d.own.shards[i].unexpired(nil, d.ticks(now)); len(entries) > 0; {
				n := min(len(entries), MaxPage-len(page))
				page, entries = append(page, entries[:n]...), entries[n:]
				if len(page) == MaxPage {
					if !yield(page) {
						return
					}
					page = d.newPage()
				}
			}
		}
		if len(page) > pageHeader {
			yield(page)
		}
	}
}

func (d *Set) newPage() []byte {
	return binary.LittleEndian.AppendUint64(make([]byte, 0, MaxPage), uint64(d.window))
}

// Import enters the entries of a page of another member, which shares the secret. It returns false if the page is
// malformed or the set has no space for all of them.
func (d *Set) Import(member string, page []byte, now time.Time) bool {
	if len(page) < pageHeader || (len(page)-pageHeader)%entrySize != 0 || len(page) > MaxPage {
		return false
	}
	window := time.Duration(binary.LittleEndian.Uint64(page))
	if window <= 0 || window > maxWindow {
		return false
	}
	part, all := d.Member(member).peerPart(true), true
	for entries := page[pageHeader:]; len(entries) > 0; entries = entries[entrySize:] {
		key, e, age := d.aged(entries, aging{window: window, now: now})
		if age <= d.window {
			all = d.importEntry(part, key, e, max(-age, 0), now) && all
		}
	}
	return all
}

// maxWindow bounds the window that a page may name: its product with an age in ticks must not overflow.
const maxWindow = 72 * time.Hour

// importEntry enters an entry, unless it is known.
func (d *Set) importEntry(part *peerPart, key uint64, e entry, ahead time.Duration, now time.Time) bool {
	f := fingerprint{id: key, peer: e.peer(), content: e.content}
	shard := d.own.shard(f)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	since := now.Sub(d.epoch)
	first, taken, duplicate := d.own.known(f, d.ticksAfter(since), d.ttlTicks)
	switch {
	case duplicate:
		return true
	case d.full(shard, part, 0):
		return false
	}
	part.current.Add(d.enter(place{shard, d.generation(shard, since+ahead)}, f, uint16(e.tagged), first, taken))
	return true
}
