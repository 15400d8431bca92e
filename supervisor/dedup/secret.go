package dedup

import (
	"encoding/binary"
	"io"
	"math/bits"
	"unsafe"

	"github.com/Snider/go-p2p/wire"
)

// secret is a keyed pseudorandom function for ids, contents and peers: SipHash-1-3 with separate keys. A peer that does
// not have the key can neither predict a value nor choose inputs that share one, and the process never reveals a value.
//
// SipHash takes 8 bytes in about five cycles, so long payloads are compressed first, 128 bytes to 16:
//
//	payload   | 128 bytes | 128 bytes | rest |
//	              nh          nh        |
//	header      16 bytes    16 bytes    rest
//	  └──────────┴───────────┴───────────┴────→ SipHash → content tag, 64 bits
//
// Two different payloads of one length agree after nh with a probability of 2^-64, because nh has a secret key too.
type secret struct {
	master           [16]byte
	id, content, tag [2]uint64
	nh               [16]uint64
}

// newSecret reads a key of 16 bytes from random and derives all others from it.
func newSecret(random io.Reader) (*secret, error) {
	var master [16]byte
	if _, err := io.ReadFull(random, master[:]); err != nil {
		return nil, err
	}
	return expandSecret(master), nil
}

func expandSecret(master [16]byte) *secret {
	s := &secret{master: master}
	root := [2]uint64{binary.LittleEndian.Uint64(master[:]), binary.LittleEndian.Uint64(master[8:])}
	next := uint64(0)
	for _, words := range [][]uint64{s.id[:], s.content[:], s.tag[:], s.nh[:]} {
		for i := range words {
			words[i] = newSip(root).word(next).sum(0)
			next++
		}
	}
	return s
}

// idKey is the place of an id in the tables.
func (s *secret) idKey(id string) uint64 { return hashText(s.id, id) }

// peerTag stands for a peer in an entry: 48 bits.
func (s *secret) peerTag(peerID string) uint64 { return hashText(s.tag, peerID) >> stampBits }

// asideKey is the place of an entry whose id has a place that is taken: one by its peer's tag and one by its content.
// It stays in the shard of the id.
func (s *secret) asideKey(idKey, tag, domain uint64) uint64 {
	key := newSip(s.id).word(idKey).word(tag).sum(1<<63 | domain) // the length of no id
	return key&^(shardCount-1) | idKey&(shardCount-1)
}

// contentTag covers from, type, to, replyTo, ts and payload. The id is not part of it, since tags are only compared
// between messages of one id.
func (s *secret) contentTag(msg *wire.Message) uint64 {
	h := newSip(s.content)
	// With the lengths of all fields absorbed, no two messages are hashed as the same words.
	h = h.word(uint64(len(msg.From)) | uint64(len(msg.Type))<<32)
	h = h.word(uint64(len(msg.To)) | uint64(len(msg.ReplyTo))<<32)
	h = h.word(uint64(msg.Timestamp.UnixNano()))
	h = h.text(msg.From).text(string(msg.Type)).text(msg.To).text(msg.ReplyTo)
	payload := msg.Payload
	for ; len(payload) >= nhBlock; payload = payload[nhBlock:] {
		hi, lo := compress(&s.nh, (*[nhBlock]byte)(payload))
		h = h.word(hi).word(lo)
	}
	return h.bytes(payload).sum(uint64(len(msg.Payload)))
}

const nhBlock = 128

// compress is the universal hash NH (Black et al., UMAC) with words of 64 bits: the sum of products of pairs of words,
// to each of which a word of the key was added.
func compress(key *[16]uint64, block *[nhBlock]byte) (hi, lo uint64) {
	for i := 0; i < len(key); i += 2 {
		a := binary.LittleEndian.Uint64(block[8*i:]) + key[i]
		b := binary.LittleEndian.Uint64(block[8*i+8:]) + key[i+1]
		productHi, productLo := bits.Mul64(a, b)
		var carry uint64
		lo, carry = bits.Add64(lo, productLo, 0)
		hi, _ = bits.Add64(hi, productHi, carry)
	}
	return hi, lo
}

func hashText(key [2]uint64, text string) uint64 {
	return newSip(key).text(text).sum(uint64(len(text)))
}

// hashBytes returns what hashText returns for the same text.
func hashBytes(key [2]uint64, text []byte) uint64 {
	return newSip(key).bytes(text).sum(uint64(len(text)))
}

// sip is the state of SipHash-1-3: one round for each word of 8 bytes, three at the end.
type sip struct{ v0, v1, v2, v3 uint64 }

func newSip(key [2]uint64) sip {
	return sip{
		key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
	}
}

// round is the SipRound of the paper. It takes and returns plain words, so that the compiler inlines it.
func round(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}

func (s sip) word(m uint64) sip {
	s.v0, s.v1, s.v2, s.v3 = round(s.v0, s.v1, s.v2, s.v3^m)
	s.v0 ^= m
	return s
}

// bytes absorbs p, but not its length. The last word holds the rest of less than 8 bytes.
func (s sip) bytes(p []byte) sip {
	for ; len(p) >= 8; p = p[8:] {
		m := binary.LittleEndian.Uint64(p)
		s.v0, s.v1, s.v2, s.v3 = round(s.v0, s.v1, s.v2, s.v3^m)
		s.v0 ^= m
	}
	switch n := len(p); {
	case n >= 4:
		return s.word(uint64(binary.LittleEndian.Uint32(p)) | uint64(binary.LittleEndian.Uint32(p[n-4:]))<<32)
	case n > 0:
		return s.word(uint64(p[0]) | uint64(p[n/2])<<8 | uint64(p[n-1])<<16)
	}
	return s
}

// text absorbs p as bytes does.
func (s sip) text(p string) sip { return s.bytes(unsafe.Slice(unsafe.StringData(p), len(p))) }

// sum absorbs the last word, which distinguishes inputs of different lengths, and returns the hash.
func (s sip) sum(last uint64) uint64 {
	s = s.word(last)
	v0, v1, v2, v3 := round(s.v0, s.v1, s.v2^0xff, s.v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}
