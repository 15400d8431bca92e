package cluster

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// reader reads the fields of a message. After the first field that is not there, bad is set and all fields are zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// more reports whether fields follow, which members of earlier versions do not send.
func (r *reader) more() bool { return !r.bad && len(r.rest) > 0 }

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// state reads the state that a member announces. One that this version does not know counts as draining: the member is
// there, and no peer is left to it. A member cannot announce that it is lost.
func (r *reader) state() supervisor.MemberState {
	if supervisor.MemberState(r.byte()) == supervisor.MemberAlive {
		return supervisor.MemberAlive
	}
	return supervisor.MemberDraining
}

// number reads a number that fits an int on each platform; larger ones are cut.
func (r *reader) number() uint64 { return min(r.uvarint(), math.MaxInt32) }

// term reads a term. One of more than 62 bits is malformed: terms that follow it could overflow.
func (r *reader) term() uint64 {
	term := r.uvarint()
	if term >= 1<<62 {
		r.bad = true
		return 0
	}
	return term
}

// tokens reads the tokens of a bucket; those that are not a finite number are unknown.
func (r *reader) tokens() float64 {
	left := math.Float64frombits(r.uint64())
	if math.IsNaN(left) || math.IsInf(left, 0) {
		return -1
	}
	return left
}

// duration reads a time span of at most a century, so that arithmetic with it does not overflow.
func (r *reader) duration() time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	return time.Duration(min(r.uvarint(), uint64(most)))
}

// skew reads the difference between two clocks, at most maxSkew. At the end of the message it is 0.
func (r *reader) skew() time.Duration {
	if r.bad || len(r.rest) == 0 {
		return 0
	}
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return max(-maxSkew, min(time.Duration(v), maxSkew))
}

func (r *reader) text(limit uint64) string {
	n := r.uvarint()
	if n > limit {
		r.bad = true
	}
	return string(r.take(n))
}

// count reads the number of entries of a list. Each entry has at least one byte, so that a short message cannot make
// its receiver allocate a long list.
func (r *reader) count(limit uint64) uint64 {
	n := r.uvarint()
	if r.bad || n > limit || n > uint64(len(r.rest)) {
		r.bad = true
		return 0
	}
	return n
}
