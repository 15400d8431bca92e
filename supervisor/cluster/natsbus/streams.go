package natsbus

import "sync"

// The operator of NATS can deliver messages that it has recorded. A member therefore accepts those of a start of
// another member, a stream, only after a question that this start alone can answer, and only those that were sealed
// after the answer:
//
//	message of an unknown stream: dropped ──question──▶ p2p.<node id>.start.<stream>
//	floor of the stream = number of the answer; messages above it that no window has seen are accepted
//
// A stream that is forgotten is asked again, so that its floor is above all that was received of it.
const (
	maxStreams = 256  // known ones
	maxAsking  = 16   // questions at the same time
	windowSize = 1024 // numbers behind the highest one
)

// streams are the starts of members. Safe for concurrent use.
type streams struct {
	ask func(stream) // starts to ask one; its answer goes to proven, the lack of one to silent

	mu     sync.Mutex
	clock  uint64
	known  map[stream]*origin
	asking map[stream]bool
}

// origin is a stream that has proven that it runs.
type origin struct {
	floor   uint64             // numbers up to this one may be of before the proof
	windows map[uint64]*window // by subscription
	used    uint64             // clock of the last body
}

// window is the set of received numbers of one stream.
type window struct {
	highest uint64
	seen    [windowSize / 64]uint64 // by number modulo windowSize
}

// newStreams knows the stream of this process itself.
func newStreams(own stream, ask func(stream)) *streams {
	s := &streams{ask: ask, known: make(map[stream]*origin), asking: make(map[stream]bool)}
	s.proven(own, 0)
	return s
}

// accept returns an error if a body may have been sealed before this member asked its stream, or was received by the
// subscription before. The errors are errOld and errReplay. Numbers more than windowSize behind the highest one of the
// stream are replays.
func (s *streams) accept(subscription uint64, from stream, number uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.known[from]
	if o == nil {
		if !s.asking[from] && len(s.asking) < maxAsking {
			s.asking[from] = true
			s.ask(from)
		}
		return errOld
	}
	if number <= o.floor {
		return errOld
	}
	s.clock++
	o.used = s.clock
	w := o.windows[subscription]
	if w == nil {
		w = &window{highest: number}
		o.windows[subscription] = w
	}
	if !w.add(number) {
		return errReplay
	}
	return nil
}

// proven enters a stream with the number of its answer.
func (s *streams) proven(from stream, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asking, from)
	if len(s.known) >= maxStreams {
		s.evict()
	}
	s.clock++
	s.known[from] = &origin{floor: number, windows: make(map[uint64]*window), used: s.clock}
}

// silent ends the question to a stream that has not answered. Its next message begins another one.
func (s *streams) silent(from stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asking, from)
}

// evict forgets the stream that was heard least recently. s.mu is held.
func (s *streams) evict() {
	var oldest stream
	used := s.clock + 1
	for from, o := range s.known {
		if o.used < used {
			oldest, used = from, o.used
		}
	}
	delete(s.known, oldest)
}

// drop forgets the windows of a subscription that has ended.
func (s *streams) drop(subscription uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.known {
		delete(o.windows, subscription)
	}
}

// add returns false if the number is in the window or below it.
func (w *window) add(number uint64) bool {
	if number+windowSize <= w.highest {
		return false
	}
	if number > w.highest {
		for n := w.highest + 1; n <= number && n <= w.highest+windowSize; n++ {
			w.seen[n%windowSize/64] &^= 1 << (n % 64)
		}
		w.highest = number
	}
	bit := uint64(1) << (number % 64)
	if w.seen[number%windowSize/64]&bit != 0 {
		return false
	}
	w.seen[number%windowSize/64] |= bit
	return true
}
