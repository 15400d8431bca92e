package cluster

import (
	"encoding/binary"
	"time"

	"github.com/Snider/go-p2p/supervisor/dedup"
)

// The flags of a check.
const (
	checkFirst = 1 << iota
	checkEntries
	checkConverted
	checkAdjusted
	checkLatest
	checkToken // with checkEntries, as which members of earlier versions answer it
)

// appendChecks appends the number of checks, and for each: flags, author, and without checkEntries the three tags
// (8 bytes each), the timestamp (Unix nanoseconds, 8) and Ahead.
func appendChecks(b []byte, checks []check) []byte {
	b = binary.AppendUvarint(b, uint64(len(checks)))
	for i := range checks {
		c := &checks[i]
		b = append(b, c.flags())
		if b = appendText(b, c.author); c.anyEntries || c.token {
			continue
		}
		b = binary.BigEndian.AppendUint64(b, c.digest.ID)
		b = binary.BigEndian.AppendUint64(b, c.digest.Content)
		b = binary.BigEndian.AppendUint64(b, c.digest.Peer)
		b = binary.BigEndian.AppendUint64(b, uint64(c.stamp.UnixNano()))
		b = binary.AppendUvarint(b, uint64(max(c.digest.Ahead, 0)))
	}
	return b
}

func (c *check) flags() byte {
	return flag(c.first)*checkFirst | flag(c.anyEntries || c.token)*checkEntries | flag(c.converted)*checkConverted |
		flag(c.adjusted)*checkAdjusted | flag(c.latest)*checkLatest | flag(c.token)*checkToken
}

func (r *reader) checks() []check {
	n := r.count(maxChecks)
	list := make([]check, n)
	for i := range list {
		flags := r.byte()
		short, token := flags&checkEntries != 0, flags&checkToken != 0
		c := check{
			author: r.text(maxPeerID), first: flags&checkFirst != 0, anyEntries: short && !token, token: short && token,
			converted: flags&checkConverted != 0, adjusted: flags&checkAdjusted != 0, latest: flags&checkLatest != 0,
		}
		if !short {
			c.digest = dedup.Digest{ID: r.uint64(), Content: r.uint64(), Peer: r.uint64()}
			c.stamp = time.Unix(0, int64(r.uint64()))
			c.digest.Ahead = r.duration()
		}
		list[i] = c
	}
	return list
}

// appendChecked appends the number of answers, and for each: the verdict, the number of further members and their
// names.
func appendChecked(b []byte, answers []checked) []byte {
	b = binary.AppendUvarint(b, uint64(len(answers)))
	for _, a := range answers {
		further := a.former[:min(len(a.former), maxFurther)]
		b = append(b, byte(a.verdict), byte(len(further)))
		for _, name := range further {
			b = appendText(b, name)
		}
	}
	return b
}

func (r *reader) checkedList() []checked {
	n := r.count(maxChecks)
	list := make([]checked, n)
	for i := range list {
		list[i].verdict = seenVerdict(r.byte())
		further := r.byte()
		for range further {
			if r.bad {
				return nil
			}
			list[i].former = append(list[i].former, r.text(maxName))
		}
	}
	return list
}
