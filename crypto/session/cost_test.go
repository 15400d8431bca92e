package session

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

func TestSealAndOpenAllocateNothing(t *testing.T) {
	for _, aead := range bothAEADs {
		p := mustPair(t, aead, false)
		other := mustPair(t, aead, false)
		buffer := append(make([]byte, typeLen, 4096), bytes.Repeat([]byte("x"), 1000)...)
		cycle := func() {
			p.out.MustRekey(time.Second)
			if _, _, err := p.open.Open(p.out.Seal(buffer), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		refused := func() { _, _, _ = other.open.Open(buffer[:100], 0) }
		allowed := 2 * cipherAllocations(aead)
		for name, run := range map[string]func(){"seal and open": cycle, "refused": refused} {
			if n := testing.AllocsPerRun(100, run); n > allowed {
				t.Errorf("%v, %s: %v allocations", aead, name, n)
			}
		}
	}
}

// TestRestingSessionIsSmall requires at most 224 bytes for both directions of one session at rest, whether it has never
// been used or has rested, and that the ciphers take more. An SMSG connection takes 281 bytes.
func TestRestingSessionIsSmall(t *testing.T) {
	const limit = 224
	for _, aead := range bothAEADs {
		best := sessionSize(aead)
		for range 2 { // the minimum excludes allocations of the runtime
			s := sessionSize(aead)
			best = sizes{min(best.unused, s.unused), min(best.awake, s.awake), min(best.rested, s.rested)}
		}
		t.Logf("%v: bytes %+v", aead, best)
		if best.unused > limit || best.rested > limit || best.awake < best.rested+64 {
			t.Errorf("%v: bytes %+v", aead, best)
		}
	}
}

// sizes are bytes of both directions of one session.
type sizes struct{ unused, awake, rested int64 }

func sessionSize(aead AEAD) (s sizes) {
	const sessions = 2000 // so many that objects of the runtime add less than a byte to each
	sealers, openers := make([]Sealer, sessions), make([]Opener, sessions)
	empty := heap()
	size := func() int64 { return (heap() - empty) / sessions }
	for i := range sealers {
		sealers[i], openers[i] = start(crypto.Initiator, aead, pattern(byte(i), 128), testHandshake, testAck)
	}
	s.unused = size()
	for i := range sealers {
		sealers[i].s.ready()
		openers[i].o.ready()
	}
	s.awake = size()
	for i := range sealers {
		sealers[i].Rest()
		openers[i].Rest()
	}
	s.rested = size()
	runtime.KeepAlive(sealers)
	runtime.KeepAlive(openers)
	return s
}

// heap returns the bytes of reachable objects.
func heap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkRecord seals and opens one record of the given size in place.
func BenchmarkRecord(b *testing.B) {
	for _, aead := range bothAEADs {
		for _, size := range []int{64, 256, 1 << 10, 16 << 10, 64 << 10} {
			buffer := append(make([]byte, typeLen, size+Overhead), make([]byte, size)...)
			bench := func(name string, run func(p pair) error) {
				b.Run(fmt.Sprintf("%v/%s/%d", aead, name, size), func(b *testing.B) {
					p := mustPair(b, aead, false)
					b.ReportAllocs()
					b.SetBytes(int64(size))
					for b.Loop() {
						if err := run(p); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			bench("seal", func(p pair) error { p.out.Seal(buffer); return nil })
			bench("seal and open", func(p pair) error {
				record := p.out.Seal(buffer)
				p.open.o.records, p.open.o.bytes = p.out.s.records-1, 0 // beyond the limits
				_, _, err := p.open.Open(record, 0)
				return err
			})
		}
		b.Run(aead.String()+"/rest and seal", func(b *testing.B) {
			p, buffer := mustPair(b, aead, false), make([]byte, 64, 128)
			b.ReportAllocs()
			for b.Loop() {
				p.out.Rest()
				p.out.Seal(buffer)
			}
		})
	}
}

// BenchmarkHandshake performs the key exchange of one side or of both, with and without ML-KEM. Both sides know their
// shared secret, as they do in a node.
func BenchmarkHandshake(b *testing.B) {
	for _, kem := range []bool{false, true} {
		x, y := mustIdentities(b)
		secret, err := x.SharedSecret(y.PublicKey())
		if err != nil {
			b.Fatal(err)
		}
		initiator, responder := WithSecret(x, y.PublicKey(), secret), WithSecret(y, x.PublicKey(), secret)
		mustOffer := func() *Offer {
			offer, err := NewOffer(nil, kem)
			if err != nil {
				b.Fatal(err)
			}
			return offer
		}
		mustAnswer := func(offer PeerKeys) *Answer {
			answer, err := NewAnswer(nil, responder, x.PublicKey(), offer)
			if err != nil {
				b.Fatal(err)
			}
			return answer
		}
		finish := func(offer *Offer, keys PeerKeys) {
			_, _, err := offer.Finish(initiator, y.PublicKey(), keys, AES256GCM, testHandshake, testAck)
			if err != nil {
				b.Fatal(err)
			}
		}
		fixed := mustOffer()
		offered := PeerKeys{fixed.PublicKey(), fixed.KEM()}
		answer := mustAnswer(offered)
		answered := PeerKeys{answer.PublicKey(), answer.KEM()}
		bench := func(name string, run func()) {
			b.Run(fmt.Sprintf("%s/kem=%v", name, kem), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
			})
		}
		bench("initiator", func() { finish(mustOffer(), answered) })
		bench("responder", func() { mustAnswer(offered).Finish(AES256GCM, testHandshake, testAck) })
		bench("both", func() {
			offer := mustOffer()
			answer := mustAnswer(PeerKeys{offer.PublicKey(), offer.KEM()})
			answer.Finish(AES256GCM, testHandshake, testAck)
			finish(offer, PeerKeys{answer.PublicKey(), answer.KEM()})
		})
	}
}
