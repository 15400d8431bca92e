package supervisor

import (
	"iter"
	"math/bits"
)

const (
	dedupLeastSlots = 8
	// A slot's top bit says that it is taken, the next eight are a mark of its key, the others its record's region.
	dedupTaken      = 1 << 15
	dedupRegionBits = 7
	dedupRegionMask = 1<<dedupRegionBits - 1
	// Records are allocated in pages, so that none is ever moved.
	dedupPageBits    = 6
	dedupPageRecords = 1 << dedupPageBits
)

// dedupTable is a map from a key, which is a keyed hash already, to an entry; the zero value is an empty one and takes no
// memory. Records stand in the order in which they came, and are found by an index of two bytes a slot: a key has
// the slot that its upper bits name, or the next one behind it that was free. A slot does not say where its record is, only
// in which region of the records, one of 128 at most; who looks for it goes through the region.
//
// What nodes do nearly always is to look for an id that is not there and to add it. That reads one or two cache lines of
// the index, which is small, and writes to the records' end; a mark that does not fit saves the look at a region. The garbage collector finds a pointer for each page and no other. Nothing is ever removed: a table is dropped
// whole.
type dedupTable struct {
	pages      [][]dedupRecord // each full but the last
	count      int             // of records
	index      []uint16        // 0 is a free slot
	regionBits int             // a region has 1<<regionBits records
}

type dedupRecord struct {
	key   uint64
	entry dedupEntry
}

func (t *dedupTable) find(key uint64) (dedupEntry, bool) {
	if t.count == 0 {
		return 0, false
	}
	if _, record := t.slot(key); record != nil {
		return record.entry, true
	}
	return 0, false
}

// put sets a key's entry, and reports whether the key is new.
func (t *dedupTable) put(key uint64, entry dedupEntry) bool {
	if 4*t.count >= 3*len(t.index) {
		t.growIndex()
	}
	slot, record := t.slot(key)
	if record != nil {
		record.entry = entry
		return false
	}
	t.index[slot] = dedupMark(key) | uint16(t.count>>t.regionBits)
	t.add(dedupRecord{key, entry})
	return true
}

// add puts a record behind the others.
func (t *dedupTable) add(r dedupRecord) {
	if t.count%dedupPageRecords == 0 {
		var page []dedupRecord // the first one grows as needed, since most nodes remember little
		if t.count > 0 {
			page = make([]dedupRecord, 0, dedupPageRecords)
		}
		t.pages = append(t.pages, page)
	}
	last := &t.pages[len(t.pages)-1]
	*last = append(*last, r)
	t.count++
}

// all goes through the records, by their place, from the given one on.
func (t *dedupTable) all(from int) iter.Seq2[int, *dedupRecord] {
	return func(yield func(int, *dedupRecord) bool) {
		for place := from; place < t.count; place++ {
			if !yield(place, &t.pages[place>>dedupPageBits][place%dedupPageRecords]) {
				return
			}
		}
	}
}

// slot returns a key's slot and record. Without a record it is the free slot that the key would get, and there always
// is one.
func (t *dedupTable) slot(key uint64) (int, *dedupRecord) {
	mark := dedupMark(key)
	for i := t.home(key); ; i++ {
		if i == len(t.index) {
			i = 0
		}
		slot := t.index[i]
		if slot == 0 {
			return i, nil
		}
		if slot&^dedupRegionMask == mark {
			if record := t.inRegion(int(slot&dedupRegionMask), key); record != nil {
				return i, record
			}
		}
	}
}

// inRegion returns a key's record if it is in a region.
func (t *dedupTable) inRegion(region int, key uint64) *dedupRecord {
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

// home is the slot where the look for a key begins. There is an index.
func (t *dedupTable) home(key uint64) int {
	slot, _ := bits.Mul64(key, uint64(len(t.index)))
	return int(slot)
}

// dedupMark is made of bits that say nothing of the shard or the slot.
func dedupMark(key uint64) uint16 {
	return dedupTaken | uint16(key>>dedupShardBits)<<dedupRegionBits
}

// growIndex leaves the records where they are. It takes some nanoseconds for each of them, and a shard has few.
func (t *dedupTable) growIndex() {
	t.index = make([]uint16, max(dedupLeastSlots, 2*len(t.index)))
	t.regionBits = max(bits.Len(uint(len(t.index)-1))-dedupRegionBits, 0)
	for place, record := range t.all(0) {
		slot := t.freeSlot(record.key)
		t.index[slot] = dedupMark(record.key) | uint16(place>>t.regionBits)
	}
}

// freeSlot returns the slot that a key gets which has none yet.
func (t *dedupTable) freeSlot(key uint64) int {
	for i := t.home(key); ; i++ {
		if i == len(t.index) {
			i = 0
		}
		if t.index[i] == 0 {
			return i
		}
	}
}
