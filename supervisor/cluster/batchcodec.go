package cluster

import (
	"encoding/binary"
	"math/bits"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// The kinds of messages about forwarded messages. Batches and cancels are on the subject m.<name>.fwd, acks on
// m.<name>.ack.
const (
	kindBatch  kind = 50
	kindAck    kind = 51
	kindCancel kind = 52
)

// Limits of batches and acks.
const (
	maxEntries = 256       // entries in a batch
	maxBytes   = 256 << 10 // bytes of a batch with several entries, and of the results that one ack carries
	maxText    = 2048      // bytes of an error's text
	maxRole    = 64        // bytes of a role
	maxPart    = 128 << 10 // bytes of one part of a result
	entryHead  = 2 + 1 + maxPeerID
	resultSize = 5 // bytes of a result without text and data
	batchHead  = 2 + 1 + maxName + 8 + binary.MaxVarintLen64
)

// Bits of the first byte of an entry. Those below are the supervisor.ForwardMode.
const (
	entryMode      = 0b0000_0111
	entryBroadcast = 1 << 3 // a role follows instead of a peer
	entryEndless   = 1 << 4
)

// entry is one message in a batch.
type entry struct {
	mode      supervisor.ForwardMode
	endless   bool
	broadcast bool
	peer      string          // node ID; empty for a broadcast
	role      crypto.NodeRole // of a broadcast
	form      []byte          // the message, as wire.AppendMessage writes it
}

// appendTo appends an entry to a batch, which ends behind the last one.
func (e *entry) appendTo(b []byte) []byte {
	first := byte(e.mode)
	if e.endless {
		first |= entryEndless
	}
	if e.broadcast {
		b = appendText(append(b, first|entryBroadcast), string(e.role))
	} else {
		b = appendText(append(b, first), e.peer)
	}
	b = binary.AppendUvarint(b, uint64(len(e.form)))
	return append(b, e.form...)
}

// entry reads the next entry of a batch.
func (r *reader) entry() entry {
	first := r.byte()
	e := entry{
		mode: supervisor.ForwardMode(first & entryMode), endless: first&entryEndless != 0,
		broadcast: first&entryBroadcast != 0,
	}
	if e.broadcast {
		e.role = crypto.NodeRole(r.text(maxRole))
	} else {
		e.peer = r.text(maxPeerID)
	}
	e.form = r.take(r.uvarint())
	if e.mode > supervisor.ForwardAnswered || first >= entryEndless<<1 {
		r.bad = true
	}
	return e
}

// entrySet is a set of indices of entries.
type entrySet [maxEntries / 64]uint64

func (s *entrySet) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *entrySet) remove(i int)   { s[i/64] &^= 1 << (i % 64) }
func (s *entrySet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }

// words returns the number of words up to the last one that is not zero.
func (s *entrySet) words() int {
	n := len(s)
	for n > 0 && s[n-1] == 0 {
		n--
	}
	return n
}

// each calls visit for each index.
func (s *entrySet) each(visit func(i int)) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			visit(w*64 + bits.TrailingZeros64(word))
		}
	}
}

// entryResult is the result of one entry, or a part of one.
type entryResult struct {
	index byte
	code  code
	text  string // with codeMoved the home of the peer, with codePart empty, otherwise that of the error
	data  []byte // a reply or the result of a broadcast, or a part of it
	total uint64 // bytes of all parts, in the last one
}

// ack reports results of a batch. An entry that is neither in waiting nor in the results of this or of an earlier ack
// was answered in a lost one.
type ack struct {
	head           // kindAck, of the member that delivers
	to      uint64 // boot of the member that has sent the batch
	batch   uint64
	waiting entrySet
	results []entryResult
}

func (a *ack) encode() []byte {
	size := batchHead + 64
	for i := range a.results {
		size += 24 + len(a.results[i].text) + len(a.results[i].data)
	}
	b := a.head.appendTo(make([]byte, 0, size))
	b = binary.BigEndian.AppendUint64(b, a.to)
	b = binary.AppendUvarint(b, a.batch)
	words := a.waiting.words()
	b = append(b, byte(words))
	for _, word := range a.waiting[:words] {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	for i := range a.results {
		r := &a.results[i]
		b = append(b, r.index, byte(r.code))
		b = appendText(b, r.text)
		b = append(binary.AppendUvarint(b, uint64(len(r.data))), r.data...)
		b = binary.AppendUvarint(b, r.total)
	}
	return b
}

// decodeAck returns the ack in b, or nil for another kind. Its slices lie in b.
func decodeAck(b []byte) (*ack, error) {
	h, r, err := readHead(b)
	if err != nil || h.kind != kindAck {
		return nil, err
	}
	a := &ack{head: h, to: r.uint64(), batch: r.uvarint()}
	words := int(r.byte())
	if words > len(a.waiting) {
		return nil, errMessage
	}
	for i := range words {
		a.waiting[i] = r.uint64()
	}
	if len(r.rest) > 0 {
		a.results = make([]entryResult, 0, min(maxEntries, 1+len(r.rest)/resultSize))
	}
	for !r.bad && len(r.rest) > 0 {
		next := entryResult{index: r.byte(), code: code(r.byte()), text: r.text(maxText)}
		next.data, next.total = r.take(r.uvarint()), r.uvarint()
		if a.results = append(a.results, next); len(a.results) > 2*maxEntries {
			r.bad = true
		}
	}
	if r.bad {
		return nil, errMessage
	}
	return a, nil
}

// received is a decoded batch or cancel. The slices of its entries lie in the message.
type received struct {
	head
	batch   uint64
	entries []entry // of a batch
	index   int     // of a cancel
}

// decodeForwarded returns the batch or cancel in b, or nil for another kind.
func decodeForwarded(b []byte) (*received, error) {
	h, r, err := readHead(b)
	if err != nil || h.kind != kindBatch && h.kind != kindCancel {
		return nil, err
	}
	in := &received{head: h, batch: r.uvarint()}
	if h.kind == kindCancel {
		in.index = int(r.byte())
	}
	for h.kind == kindBatch && !r.bad && len(r.rest) > 0 {
		if in.entries == nil {
			in.entries = make([]entry, 0, min(maxEntries, 1+len(r.rest)/128))
		}
		in.entries = append(in.entries, r.entry())
		r.bad = r.bad || len(in.entries) > maxEntries
	}
	if r.bad || h.kind == kindBatch && len(in.entries) == 0 {
		return nil, errMessage
	}
	return in, nil
}

func encodeCancel(h head, batch uint64, index int) []byte {
	return append(binary.AppendUvarint(h.appendTo(nil), batch), byte(index))
}
