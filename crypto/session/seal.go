package session

import (
	"math"
	"slices"
	"time"
)

// Limits of one sending key. A record of the largest message that a node can be configured for, 1 GiB, fits between
// maxSealedBytes and 2^36.
const (
	maxSealedRecords = 1 << 20 // with the rekey record
	maxSealedBytes   = 1<<36 - 1<<31
	maxSealedTime    = time.Hour
)

// Sealer seals the records of one direction. The caller sends every record, in the order of sealing. It is a handle:
// copies share one state. Not safe for concurrent use.
type Sealer struct{ s *sealing }

type sealing struct {
	direction
	since time.Duration // begin of the key's use, or unused
}

// unused is the value of sealing.since before the first call of MustRekey or Rekey.
const unused = math.MinInt64

// Seal makes a record of type Messages in place: record[0] is free for the type, and at least one byte of messages
// follows. It returns the record, tagLen bytes longer than before. Without capacity for the tag the record moves to new
// memory. Seal checks no limit: call MustRekey before, and observe MaxRecord.
func (s Sealer) Seal(record []byte) []byte {
	return s.s.seal(slices.Grow(record, tagLen), 0, Messages)
}

// MustRekey reports whether a rekey record must go before the next record: 2^20 records with that one, 2^36 bytes less
// the size of the largest record, or one hour since the first call under this key. now is the time since any fixed
// origin, the same for all calls.
func (s Sealer) MustRekey(now time.Duration) bool {
	if s.s.since == unused {
		s.s.since = now
	}
	return s.s.records >= maxSealedRecords-1 || s.s.bytes >= maxSealedBytes || now-s.s.since >= maxSealedTime
}

// Rekey appends a rekey record, Overhead bytes, to dst and returns the extended slice. Later records are sealed under
// the next key; the previous key is erased. now is that of MustRekey.
func (s Sealer) Rekey(dst []byte, now time.Duration) []byte {
	start := len(dst)
	dst = s.s.seal(append(slices.Grow(dst, Overhead), 0), start, Rekey)
	s.s.update()
	s.s.since = now
	return dst
}

// Rest drops the cipher and keeps the secret of 32 bytes. The next Seal or Rekey derives the cipher again.
func (s Sealer) Rest() { s.s.rest() }

// seal seals buf[start:] in place, its first byte being that of the type. buf has capacity for the tag.
func (s *sealing) seal(buf []byte, start int, t RecordType) []byte {
	record := buf[start:]
	record[0] = byte(t)
	aead, nonce := s.ready()
	aead.Seal(record[typeLen:typeLen], nonce, record[typeLen:], record[:typeLen])
	s.count(len(record) + tagLen)
	return buf[:len(buf)+tagLen]
}
