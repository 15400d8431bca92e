package natsbus

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

func TestSealedBodiesOpenUnderTheirSubject(t *testing.T) {
	one, err := newSealer([][32]byte{{1}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := newSealer([][32]byte{{2}, {1}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		sealed := one.seal("subject", []byte("body"))
		if _, _, _, err := two.open("other", bytes.Clone(sealed)); !errors.Is(err, errSeal) {
			t.Errorf("under another subject: %v", err)
		}
		body, from, number, err := two.open("subject", sealed)
		if err != nil || string(body) != "body" || from != one.own || number != uint64(n+1) {
			t.Errorf("opened %q of %x, number %d: %v", body, from, number, err)
		}
	}
	if _, _, _, err := one.open("subject", two.seal("subject", nil)); !errors.Is(err, errSeal) {
		t.Errorf("under another key: %v", err)
	}
}

// TestWindowsMatchASet compares the window with a set of all numbers.
func TestWindowsMatchASet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	received := newStreams(stream{1}, nil)
	seen, highest := map[uint64]bool{}, uint64(0)
	for i := range 100_000 {
		number := highest + uint64(random.IntN(3))
		switch {
		case i%1000 == 999:
			number += uint64(random.IntN(3 * windowSize))
		case i%2 == 0:
			number -= min(number, uint64(random.IntN(2*windowSize)))
		}
		want := number > 0 && !seen[number] && number+windowSize > highest
		if got := received.accept(1, stream{1}, number) == nil; got != want {
			t.Fatalf("step %d: number %d with highest %d is fresh: %v, want %v", i, number, highest, got, want)
		}
		seen[number] = true
		highest = max(highest, number)
	}
}

// A stream that was forgotten, or has given no answer, is asked again.
func TestStreamsForgetTheLeastRecent(t *testing.T) {
	var asked []stream
	s := newStreams(stream{0, 1}, func(from stream) { asked = append(asked, from) })
	for i := range maxStreams - 1 {
		s.proven(stream{byte(i + 1), 1}, 1)
	}
	accepted := func(from stream, number uint64) bool { return s.accept(1, from, number) == nil }
	if !accepted(stream{0, 1}, 1) || !accepted(stream{0, 1}, 2) { // heard again
		t.Error("an own body was refused")
	}
	s.proven(stream{0, 2}, 5)
	if len(s.known) != maxStreams || s.known[stream{1, 1}] != nil {
		t.Errorf("not the least recent of %d streams was forgotten", len(s.known))
	}
	if accepted(stream{0, 2}, 5) || !accepted(stream{0, 2}, 6) || accepted(stream{0, 2}, 6) || accepted(stream{0, 1}, 2) {
		t.Error("an old body was accepted, or a new one refused")
	}
	for range 3 {
		if accepted(stream{1, 1}, 9) {
			t.Error("a body of a forgotten stream was accepted")
		}
	}
	s.silent(stream{1, 1})
	accepted(stream{1, 1}, 9)
	if len(asked) != 2 || asked[0] != (stream{1, 1}) || asked[1] != asked[0] {
		t.Errorf("%x were asked", asked)
	}
}

// Recorded messages of many earlier starts cause few questions at a time.
func TestStreamsAskFewAtATime(t *testing.T) {
	asked := 0
	s := newStreams(stream{}, func(stream) { asked++ })
	for i := range 1000 {
		if s.accept(1, stream{byte(i), byte(i >> 8), 1}, 1) == nil {
			t.Error("an old body was accepted")
		}
	}
	if asked != maxAsking || len(s.known) != 1 {
		t.Errorf("%d were asked, want %d; %d are known", asked, maxAsking, len(s.known))
	}
	s.proven(stream{0, 0, 1}, 1) // answered
	for i := range 10 {
		_ = s.accept(1, stream{byte(i), 2}, 1)
	}
	if asked != maxAsking+1 {
		t.Errorf("%d were asked after one answer, want one more", asked)
	}
}

// The end of a subscription frees its windows, and no other ones.
func TestStreamsForgetEndedSubscriptions(t *testing.T) {
	from := stream{1}
	s := newStreams(from, nil)
	for subscription := range uint64(3) {
		if err := s.accept(subscription, from, 1); err != nil {
			t.Error(err)
		}
	}
	s.drop(1)
	if windows := s.known[from].windows; len(windows) != 2 || windows[1] != nil {
		t.Errorf("windows %v", windows)
	}
	if err := s.accept(2, from, 1); !errors.Is(err, errReplay) {
		t.Errorf("a body repeated to another subscription: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	s, err := newSealer([][32]byte{{1}, {2}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(s.seal("subject", nil))
	f.Add(s.seal("subject", []byte("body")))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		original := bytes.Clone(sealed)
		body, from, _, err := s.open("subject", sealed)
		if err == nil && (!bytes.Equal(from[:], original[1:1+streamSize]) ||
			len(body)+sealHeader+chacha20poly1305.Overhead != len(original)) {
			t.Errorf("opened %x to %q of %x", original, body, from)
		}
	})
}

func TestOutboxKeepsItsLimits(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	written := 0
	o := &outbox{write: func(outgoing) {
		if written == 0 {
			close(started)
			<-release
		}
		written++
	}}
	add := func(size int) error { return o.add(outgoing{body: make([]byte, size)}) }
	if err := add(1); err != nil {
		t.Fatal(err)
	}
	<-started // the first one is being written, nothing waits
	if err := errors.Join(add(maxWaitingBytes-1), add(1)); err != nil {
		t.Errorf("up to the limit: %v", err)
	}
	if err := add(1); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit of bytes: %v", err)
	}
	for range maxWaiting - 2 {
		if err := add(0); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(0); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit of messages: %v", err)
	}
	o.close(time.Millisecond) // the writer waits
	if err := add(0); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	close(release)
	o.close(patience)
	if written != 1+maxWaiting {
		t.Errorf("%d messages were written", written)
	}
}
