package dedup

import (
	"iter"
	"math/bits"
)

const (
	leastSlots = 8
	// A slot of 16 bits: taken (1), mark of the key (8), region of its record (7).
	slotTaken  = 1 << 15
	regionBits = 7
	regionMask = 1<<regionBits - 1
	// Records are allocated in pages, so that none is ever moved.
	pageBits    = 6
	pageRecords = 1 << pageBits
)

// table is a map from a key to an entry. Keys are outputs of the secret, so they need no further hash. The zero value
// is empty and takes no memory. Entries are never removed: the table is dropped as a whole.
//
//	index, 2 bytes a slot         │ free │ mark, region 1 │ mark, region 0 │ free │ …
//	                                              └────────────┐  │
//	records, in order of arrival  │ r0 r1 r2 r3  (region 0) │ r4 r5 (region 1) │
//
// The upper bits of a key name its slot; if that is taken, the next free slot is used. A slot does not name its record
// but the region of it, one of at most 128, and a look-up goes through the region. The usual case, an id that is not
// present, reads one or two cache lines of the index and appends a record at the end. Only a slot whose mark fits costs
// a look at a region. The garbage collector finds one pointer for each page.
type table struct {
	pages      [][]record // each full but the last
	count      int        // of records
	index      []uint16   // 0: free
	regionBits uint8      // a region has 1<<regionBits records
	// The free slot that the last look-up of an absent key ended at, plus one: put needs no second look-up. 0: none.
	missSlot uint32
	missKey  uint64
}

type record struct {
	key uint64
	entry
}

func (t *table) find(key uint64) (entry, bool) {
	if t.count == 0 {
		return entry{}, false
	}
	slot, found := t.slot(key)
	if found != nil {
		return found.entry, true
	}
	t.missSlot, t.missKey = uint32(slot+1), key
	return entry{}, false
}

// put sets the entry of a key and reports whether the key is new.
func (t *table) put(key uint64, e entry) bool {
	if 4*t.count >= 3*len(t.index) {
		t.growIndex()
	}
	slot := int(t.missSlot) - 1
	if slot < 0 || t.missKey != key {
		var found *record
		if slot, found = t.slot(key); found != nil {
			found.entry = e
			return false
		}
	}
	t.missSlot = 0
	t.index[slot] = markOf(key) | uint16(t.count>>t.regionBits)
	t.add(record{key, e})
	return true
}

// add appends a record.
func (t *table) add(r record) {
	if t.count%pageRecords == 0 {
		var page []record // the first page grows by append, since most nodes remember little
		if t.count > 0 {
			page = make([]record, 0, pageRecords)
		}
		t.pages = append(t.pages, page)
	}
	last := &t.pages[len(t.pages)-1]
	*last = append(*last, r)
	t.count++
}

// all iterates over the records and their places, beginning at from.
func (t *table) all(from int) iter.Seq2[int, *record] {
	return func(yield func(int, *record) bool) {
		for place := from; place < t.count; place++ {
			if !yield(place, &t.pages[place>>pageBits][place%pageRecords]) {
				return
			}
		}
	}
}

// slot returns a key's slot and record. If the key is absent, it returns the free slot for it and nil; the index is
// never full.
func (t *table) slot(key uint64) (int, *record) {
	mark := markOf(key)
	for i := t.home(key); ; i++ {
		if i == len(t.index) {
			i = 0
		}
		slot := t.index[i]
		if slot == 0 {
			return i, nil
		}
		if slot&^regionMask == mark {
			if record := t.inRegion(int(slot&regionMask), key); record != nil {
				return i, record
			}
		}
	}
}

// inRegion returns a key's record if it is in the region, or nil.
func (t *table) inRegion(region int, key uint64) *record {
	for place, record := range t.all(region << t.regionBits) {
		if place>>t.regionBits != region {
			break
		}
		if record.key == key {
			return record
		}
	}
	return nil
}

// home is the first slot to look at for a key. The index must not be empty.
func (t *table) home(key uint64) int {
	slot, _ := bits.Mul64(key, uint64(len(t.index)))
	return int(slot)
}

// markOf returns 8 bits of the key that determine neither its shard nor its slot.
func markOf(key uint64) uint16 {
	return slotTaken | uint16(key>>shardBits)<<regionBits
}

// growIndex doubles the index and leaves the records in place. It takes some nanoseconds for each record of the shard.
func (t *table) growIndex() {
	t.index = make([]uint16, max(leastSlots, 2*len(t.index)))
	t.regionBits = uint8(max(bits.Len(uint(len(t.index)-1))-regionBits, 0))
	t.missSlot = 0
	for place, record := range t.all(0) {
		slot := t.freeSlot(record.key)
		t.index[slot] = markOf(record.key) | uint16(place>>t.regionBits)
	}
}

// freeSlot returns the slot for a key that is absent.
func (t *table) freeSlot(key uint64) int {
	for i := t.home(key); ; i++ {
		if i == len(t.index) {
			i = 0
		}
		if t.index[i] == 0 {
			return i
		}
	}
}
