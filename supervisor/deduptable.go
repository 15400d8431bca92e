package supervisor

import "math/bits"

const (
	dedupLeastSlots = 8
	// dedupMarkBits of a slot are a mark of the key; the rest is its place in the log.
	dedupMarkBits = 8
	dedupMostIDs  = 1<<(32-dedupMarkBits) - 1
)

// dedupTable is a map from a key, which is a keyed hash already, to an entry. Entries stand in a log, in the order in which
// they came, and are found by an index of four bytes a slot: a key's slot is the one that its upper bits name, or the
// next free one behind it. A fresh id so costs one look at an index that mostly stays in the processor's cache, and a write at the log's
// end. Nothing is ever removed: a table is dropped whole. The zero value is an empty one that takes no memory.
type dedupTable struct {
	log   []dedupRecord
	index []uint32 // one more than the place in the log, and the key's mark above it; 0 is a free slot
}

type dedupRecord struct {
	key   uint64
	entry dedupEntry
}

// slot returns where in the index a key is, and its record, or the free slot that it would take and nil.
func (t *dedupTable) slot(key uint64) (int, *dedupRecord) {
	mark := dedupMark(key)
	at, _ := bits.Mul64(key, uint64(len(t.index)))
	for i := int(at); ; i++ {
		if i == len(t.index) {
			i = 0
		}
		slot := t.index[i]
		if slot == 0 {
			return i, nil
		}
		if slot&^dedupMostIDs == mark {
			if record := &t.log[slot&dedupMostIDs-1]; record.key == key {
				return i, record
			}
		}
	}
}

// dedupMark is made of bits that name neither the shard nor the slot.
func dedupMark(key uint64) uint32 { return uint32(key>>dedupShardBits) &^ dedupMostIDs }

func (t *dedupTable) find(key uint64) (dedupEntry, bool) {
	if len(t.log) == 0 {
		return 0, false
	}
	if _, record := t.slot(key); record != nil {
		return record.entry, true
	}
	return 0, false
}

// put sets a key's entry, and reports whether the key is new.
func (t *dedupTable) put(key uint64, entry dedupEntry) bool {
	if 4*len(t.log) >= 3*len(t.index) {
		t.grow()
	}
	slot, record := t.slot(key)
	if record != nil {
		record.entry = entry
		return false
	}
	t.log = append(t.log, dedupRecord{key, entry})
	t.index[slot] = uint32(len(t.log)) | dedupMark(key)
	return true
}

func (t *dedupTable) grow() {
	t.index = make([]uint32, max(dedupLeastSlots, len(t.index)*3/2))
	for i, record := range t.log {
		at, _ := bits.Mul64(record.key, uint64(len(t.index)))
		for t.index[at] != 0 {
			if at++; at == uint64(len(t.index)) {
				at = 0
			}
		}
		t.index[at] = uint32(i+1) | dedupMark(record.key)
	}
}
