package peerbook

import (
	"testing"
)

// An entry that changes while a write is under way keeps the later change, whether the write fails or not.
func TestArchiveKeepsAChangeDuringAWrite(t *testing.T) {
	for _, fails := range []bool{true, false} {
		a, p := newArchive(), testPeer(t, 1)
		a.put(p)
		a.collect()
		p.Name = "later"
		a.put(p)
		if fails {
			a.unwritten()
		} else {
			a.written()
		}
		if got, known := a.get(p.ID); !known || got.Name != "later" || a.count != 1 {
			t.Errorf("the write fails: %v; got %+v, %v, of %d", fails, got, known, a.count)
		}
	}
}

// An archive that is cleared has only later entries from then on, although the file has the earlier ones until the next
// transaction.
func TestClearedArchiveIsEmptyAtOnce(t *testing.T) {
	book, _ := writtenSmall(t, 100)
	archive := &book.entries.archive
	archive.clear()
	archive.put(testPeer(t, 200))
	var listed []string
	archive.each(func(p *Peer) { listed = append(listed, p.ID) })
	if _, known := archive.get(testPeer(t, 1).ID); known || len(listed) != 1 || archive.count != 1 {
		t.Errorf("an earlier entry is known: %v; %d listed of %d", known, len(listed), archive.count)
	}
}
