package cluster

import (
	"encoding/binary"

	"github.com/Snider/go-p2p/supervisor"
)

// Limits of messages about the peer book.
const (
	maxRecords    = 256 // in one message
	maxRecordText = 512 // bytes of the value of a record; of a fault
	recordShelves = 256
	maxShelfPages = 4096 // pages of a shelf: a million records
)

// bookMessage is the part of a message about the peer book.
type bookMessage struct {
	records []supervisor.BookRecord // put, page
	sums    []uint64                // sums: of all shelves
	shelf   byte                    // ask
	after   string                  // ask: kind and subject of the record before the page
	fault   string                  // done: why records were not entered; empty: all are on disk
}

// append appends, depending on the kind: the records; the fault; the 256 sums; the shelf and the key of the record
// before the page.
func (m *bookMessage) append(b []byte, kind kind) []byte {
	switch kind {
	case kindBookPut, kindBookPage:
		b = binary.AppendUvarint(b, uint64(len(m.records)))
		for _, r := range m.records {
			b = append(b, byte(r.Kind))
			b = appendText(appendText(b, r.Subject), r.Value)
			b = binary.BigEndian.AppendUint64(b, r.Stamp)
		}
	case kindBookDone:
		b = appendText(b, m.fault[:min(len(m.fault), maxRecordText)])
	case kindBookSums:
		for _, sum := range m.sums {
			b = binary.BigEndian.AppendUint64(b, sum)
		}
	case kindBookAsk:
		b = appendText(append(b, m.shelf), m.after)
	default:
	}
	return b
}

func (r *reader) book(kind kind) (m bookMessage) {
	switch kind {
	case kindBookPut, kindBookPage:
		for range r.count(maxRecords) {
			m.records = append(m.records, supervisor.BookRecord{
				Kind: supervisor.BookRecordKind(r.byte()), Subject: r.text(maxPeerID), Value: r.text(maxRecordText),
				Stamp: r.uint64(),
			})
		}
	case kindBookDone:
		m.fault = r.text(maxRecordText)
	case kindBookSums:
		m.sums = make([]uint64, recordShelves)
		for i := range m.sums {
			m.sums[i] = r.uint64()
		}
	case kindBookAsk:
		m.shelf, m.after = r.byte(), r.text(maxPeerID+1)
	default:
	}
	return m
}
