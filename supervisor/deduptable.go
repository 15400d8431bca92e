package supervisor

import "math/bits"

const (
	dedupLeastSlots = 8
	// A slot's upper bits are a mark of its key, the others its record's place.
	dedupMarkBits = 7
	// dedupMostIDs is how many records a slot can tell apart: more than a set may hold.
	dedupMostIDs = 1<<(32-dedupMarkBits) - 1
)

// dedupTable is a map from a key, which is a keyed hash already, to an entry; the zero value is an empty one and takes no
// memory. Records stand in the order in which they came, and are found by an index of four bytes a slot: a key has
// the slot that its upper bits name, or the next one behind it that was free.
//
// What nodes do nearly always is to look for an id that is not there and to add it. That reads one or two cache lines of
// the index, which is small, and writes to the records' end; a mark that does not fit saves the look at a record.
// Neither part holds a pointer, so the garbage collector has nothing to scan. Nothing is ever removed: a table is dropped whole.
type dedupTable struct {
	records []dedupRecord
	index   []uint32 // one more than a record's place, below its key's mark; 0 is a free slot
}

type dedupRecord struct {
	key   uint64
	entry dedupEntry
}

func (t *dedupTable) find(key uint64) (dedupEntry, bool) {
	if len(t.records) == 0 {
		return 0, false
	}
	if _, record := t.slot(key); record != nil {
		return record.entry, true
	}
	return 0, false
}

// put sets a key's entry, and reports whether the key is new.
func (t *dedupTable) put(key uint64, entry dedupEntry) bool {
	if 4*len(t.records) >= 3*len(t.index) {
		t.growIndex()
	}
	slot, record := t.slot(key)
	if record != nil {
		record.entry = entry
		return false
	}
	t.records = append(t.records, dedupRecord{key, entry})
	t.index[slot] = dedupMark(key) | uint32(len(t.records))
	return true
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
		if slot&^dedupMostIDs == mark {
			if record := &t.records[slot&dedupMostIDs-1]; record.key == key {
				return i, record
			}
		}
	}
}

// home is the slot where the look for a key begins. There is an index.
func (t *dedupTable) home(key uint64) int {
	slot, _ := bits.Mul64(key, uint64(len(t.index)))
	return int(slot)
}

// dedupMark is made of bits that say nothing of the shard or the slot.
func dedupMark(key uint64) uint32 { return uint32(key>>dedupShardBits) &^ dedupMostIDs }

// growIndex leaves the records where they are. It takes some nanoseconds for each of them, and a shard has few.
func (t *dedupTable) growIndex() {
	t.index = make([]uint32, max(dedupLeastSlots, len(t.index)*3/2))
	for i, record := range t.records {
		slot, _ := t.slot(record.key)
		t.index[slot] = dedupMark(record.key) | uint32(i+1)
	}
}
