package dedup

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	mathrand "math/rand/v2"
	"testing"

	"github.com/Snider/go-p2p/wire"
)

// referenceSip is SipHash-c-d over bytes, written as its paper describes it (Aumasson and Bernstein, 2012).
func referenceSip(c, d int, key [2]uint64, p []byte) uint64 {
	v := [4]uint64{
		key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
	}
	round := func(n int) {
		for range n {
			v[0] += v[1]
			v[2] += v[3]
			v[1] = bits.RotateLeft64(v[1], 13)
			v[3] = bits.RotateLeft64(v[3], 16)
			v[1] ^= v[0]
			v[3] ^= v[2]
			v[0] = bits.RotateLeft64(v[0], 32)
			v[2] += v[1]
			v[0] += v[3]
			v[1] = bits.RotateLeft64(v[1], 17)
			v[3] = bits.RotateLeft64(v[3], 21)
			v[1] ^= v[2]
			v[3] ^= v[0]
			v[2] = bits.RotateLeft64(v[2], 32)
		}
	}
	padded := make([]byte, len(p)/8*8+8)
	copy(padded, p)
	padded[len(padded)-1] = byte(len(p))
	for ; len(padded) > 0; padded = padded[8:] {
		m := binary.LittleEndian.Uint64(padded)
		v[3] ^= m
		round(c)
		v[0] ^= m
	}
	v[2] ^= 0xff
	round(d)
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

func TestSipIsSipHash13(t *testing.T) {
	key := [2]uint64{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	var input []byte
	for i := range 15 {
		input = append(input, byte(i))
	}
	if got := referenceSip(2, 4, key, input); got != 0xa129ca6149be45e5 { // the paper's test vector
		t.Fatalf("the reference is not SipHash-2-4: %x", got)
	}
	for words := range 20 {
		data := make([]byte, 8*words)
		r := mathrand.NewChaCha8([32]byte{byte(words)})
		_, _ = r.Read(data)
		if got, want := newSip(key).bytes(data).sum(uint64(8*words)<<56), referenceSip(1, 3, key, data); got != want {
			t.Errorf("%d words: %x, want %x", words, got, want)
		}
	}
}

func TestHashTextDistinguishesLengthsAndZeroes(t *testing.T) {
	key := [2]uint64{1, 2}
	known := map[uint64]string{}
	for n := range 70 {
		for _, b := range []byte{0, 'x'} {
			text := string(bytes.Repeat([]byte{b}, n))
			sum := hashText(key, text)
			if other, ok := known[sum]; ok && other != text {
				t.Errorf("%q and %q have one hash", text, other)
			}
			known[sum] = text
			if hashBytes(key, []byte(text)) != sum {
				t.Errorf("%q has another hash as bytes", text)
			}
		}
	}
}

// Every single bit of a payload of any length, and the border between any two fields, changes the content tag.
func TestContentTagCoversEveryBit(t *testing.T) {
	s := expandSecret([16]byte{1})
	for _, size := range []int{0, 1, 7, 8, 9, 127, 128, 129, 256, 300} {
		payload := make([]byte, size)
		known := map[uint64]int{s.contentTag(&wire.Message{Payload: payload}): -1}
		for bit := range 8 * size {
			payload[bit/8] ^= 1 << (bit % 8)
			tag := s.contentTag(&wire.Message{Payload: payload})
			if other, ok := known[tag]; ok {
				t.Fatalf("%d bytes: bits %d and %d change nothing", size, other, bit)
			}
			known[tag] = bit
			payload[bit/8] ^= 1 << (bit % 8)
		}
	}
	all, none := ^uint64(0), uint64(0) // bits that are set in every tag, and in any
	for i := range 1000 {
		tag := s.contentTag(&wire.Message{Payload: fmt.Append(nil, i)})
		all, none = all&tag, none|tag
	}
	if all != 0 || none != ^uint64(0) {
		t.Errorf("bits of the tag that never change: %x are set, %x are not", all, ^none)
	}
	fields := map[uint64]string{}
	for i := range 4 {
		for cut := range 4 {
			parts := [5]string{}
			parts[i], parts[i+1] = "abc"[:cut], "abc"[cut:]
			msg := &wire.Message{
				From: parts[0], Type: wire.MessageType(parts[1]), To: parts[2], ReplyTo: parts[3], Payload: []byte(parts[4]),
			}
			tag, text := s.contentTag(msg), fmt.Sprintf("%q", parts)
			if other, ok := fields[tag]; ok && other != text {
				t.Errorf("%s and %s have one tag", text, other)
			}
			fields[tag] = text
		}
	}
}

// Two processes have different secrets that share nothing: no key, tag or place.
func TestSecretIsFreshForEachSet(t *testing.T) {
	a, b := newDedup(t, 10, 10), newDedup(t, 10, 10)
	msg := seenMessage("1", "x")
	if a.own.master == b.own.master || a.own.idKey("1") == b.own.idKey("1") || a.own.peerTag("a") == b.own.peerTag("a") ||
		a.own.contentTag(msg) == b.own.contentTag(msg) {
		t.Error("two sets share a secret")
	}
	seen := map[uint64]bool{}
	s := a.own.secret
	for _, words := range [][]uint64{s.id[:], s.content[:], s.tag[:], s.nh[:]} {
		for _, word := range words {
			if seen[word] {
				t.Error("two words of the derived keys are equal")
			}
			seen[word] = true
		}
	}
	if _, err := New(testTTL, 10, 10, dedupStart, bytes.NewReader(make([]byte, 15))); err == nil {
		t.Error("15 bytes make a secret")
	}
	zero := func() *Set {
		d, err := New(testTTL, 10, 10, dedupStart, bytes.NewReader(make([]byte, 16)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if first, second := zero().own.idKey("1"), zero().own.idKey("1"); first != second {
		t.Error("the same random bytes make different secrets")
	}
}

// Peers and contents whose tags differ in any single bit are different: an attacker finds two that agree in 24 bits
// within seconds.
func TestEveryTagBitCounts(t *testing.T) {
	honest := fingerprint{peer: 1<<48 - 1, content: 1<<64 - 1}
	known := newEntry(honest.peer, honest.content, 7)
	if !honest.repeats(known, 7, 1) {
		t.Fatal("the message itself is no duplicate")
	}
	for bit := range 64 {
		other := fingerprint{peer: 0, content: honest.content ^ 1<<bit}
		if other.repeats(known, 7, 1) {
			t.Errorf("contents that differ in bit %d are the same", bit)
		}
	}
	for bit := range 48 {
		other := fingerprint{peer: honest.peer ^ 1<<bit, content: 0}
		if other.repeats(known, 7, 1) {
			t.Errorf("peers that differ in bit %d are the same", bit)
		}
	}
	if got := known.withStamp(8); got.peer() != honest.peer || got.content != honest.content || got.age(8) != 0 {
		t.Errorf("another stamp makes %+v of %+v", got, known)
	}
}

// A change of one character in any field changes the content tag, though all lengths stay.
func TestContentTagCoversEveryField(t *testing.T) {
	s := expandSecret([16]byte{1})
	msg := func() *wire.Message {
		return &wire.Message{From: "from", Type: "type", To: "to", ReplyTo: "reply", Payload: []byte("payload")}
	}
	for name, change := range map[string]func(*wire.Message){
		"from":    func(m *wire.Message) { m.From = "frOm" },
		"type":    func(m *wire.Message) { m.Type = "tYpe" },
		"to":      func(m *wire.Message) { m.To = "tO" },
		"replyTo": func(m *wire.Message) { m.ReplyTo = "rEply" },
		"payload": func(m *wire.Message) { m.Payload = []byte("pAyload") },
	} {
		other := msg()
		change(other)
		if s.contentTag(other) == s.contentTag(msg()) {
			t.Errorf("%s does not count", name)
		}
	}
}
