package dedup

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// With this TTL the set's stamps are exact.
const (
	ruleTick = 37 * time.Millisecond
	ruleTTL  = ticksPerWindow * ruleTick
)

// specified is the rule of the package comment without hashes, shards and generations: for each id the message at its
// place, and those aside by peer and by content. Entries expire by their stamp only.
type specified struct {
	first           map[string]specifiedEntry // by id
	peers, contents map[[2]string]specifiedEntry
}

type specifiedEntry struct {
	peer, content string
	stamp         time.Time
}

func newSpecified() *specified {
	return &specified{map[string]specifiedEntry{}, map[[2]string]specifiedEntry{}, map[[2]string]specifiedEntry{}}
}

func (m *specified) repeats(id string, e specifiedEntry, now time.Time) bool {
	one := func(known specifiedEntry, ok bool) bool {
		return ok && now.Sub(known.stamp) <= ruleTTL && (known.content == e.content || known.peer == e.peer)
	}
	first, taken := m.first[id]
	byPeer, ok := m.peers[[2]string{id, e.peer}]
	byContent, ok2 := m.contents[[2]string{id, e.content}]
	return one(first, taken) || one(byPeer, ok) || one(byContent, ok2)
}

func (m *specified) enter(id string, e specifiedEntry, now time.Time) {
	first, taken := m.first[id]
	if !taken || now.Sub(first.stamp) > ruleTTL {
		m.first[id] = e
		return
	}
	if first.stamp.Before(e.stamp) {
		first.stamp = e.stamp
		m.first[id] = first
	}
	m.peers[[2]string{id, e.peer}], m.contents[[2]string{id, e.content}] = e, e
}

// verdict asks the runs, of which the last is the present one, and enters a fresh message there.
func verdict(runs []*specified, peer string, msg *wire.Message, now time.Time) actors.Verdict {
	e := specifiedEntry{peer, string(msg.Payload) + msg.Timestamp.String(), now}
	if msg.Timestamp.After(now) {
		e.stamp = msg.Timestamp
	}
	for _, run := range runs {
		if run.repeats(msg.ID, e, now) {
			return actors.Duplicate
		}
	}
	runs[len(runs)-1].enter(msg.ID, e, now)
	return actors.Fresh
}

// The set gives the verdicts of the written rule through expiry, rotations and graceful restarts; Known gives the same.
func TestDedupFollowsTheRule(t *testing.T) {
	told := make(map[actors.Verdict]int)
	for seed := range uint64(100) {
		r := mathrand.New(mathrand.NewPCG(seed, 0))
		set, err := New(ruleTTL, 1<<20, 1<<20, dedupStart, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		runs := []*specified{newSpecified()}
		now := dedupStart
		for step := range 300 {
			switch r.IntN(10) {
			case 0:
				now = now.Add(time.Duration(r.Int64N(ticksPerWindow/2)) * ruleTick)
				if set.UntilRotation(now) < -ruleTTL/8 { // stamps distinguish four windows
					set.Rotate(now)
				}
			case 1:
				set.Rotate(now)
			case 2:
				if seed%4 == 0 && len(runs) <= maxInherited && r.IntN(10) == 0 {
					set, runs = restarted(t, set, now), append(runs, newSpecified())
				}
			default:
				peer, msg := fmt.Sprint("peer", r.IntN(4)), seenMessage(fmt.Sprint(r.IntN(30)), fmt.Sprint(r.IntN(3)))
				if r.IntN(5) == 0 {
					msg.Timestamp = now.Add(time.Duration(1+r.Int64N(ticksPerWindow-1)) * ruleTick)
				}
				want := verdict(runs, peer, msg, now)
				if got := set.For(peer).Known(msg, now); got != want {
					t.Fatalf("seed %d, step %d: %s asks for %s: %v, want %v", seed, step, peer, msg.ID, got, want)
				}
				if got := set.For(peer).Seen(msg, now); got != want {
					t.Fatalf("seed %d, step %d: %s sends %s: %v, want %v", seed, step, peer, msg.ID, got, want)
				}
				told[want]++
			}
		}
	}
	if told[actors.Fresh] < 1000 || told[actors.Duplicate] < 1000 {
		t.Errorf("verdicts %v: the walk covers too little", told)
	}
}
