package supervisor

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// The set takes no memory for a duplicate, and for a fresh id no more than its map's own growth.
func TestDedupAllocations(t *testing.T) {
	d := newDedup(t, 1<<20, 1<<20)
	account := d.For("peer")
	message := seenMessage("", "x")
	number := uint64(0)
	for name, c := range map[string]struct {
		want  actors.Verdict
		fresh uint64
	}{"fresh": {actors.Fresh, 1}, "duplicate": {actors.Duplicate, 0}} {
		ids := make([]string, 20_000)
		for i := range ids {
			number += c.fresh
			ids[i] = fmt.Sprint(number)
		}
		account.Seen(&wire.Message{ID: ids[0], Timestamp: dedupStart}, dedupStart)
		next, got := 1, c.want
		n := testing.AllocsPerRun(10_000, func() {
			message.ID = ids[next]
			next++
			if verdict := account.Seen(message, dedupStart); verdict != c.want {
				got = verdict
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if got != c.want {
			t.Errorf("%s: verdict %v", name, got)
		}
	}
}

// connection waits for the connection to a peer.
func connection(t testing.TB, from, to *Transport) *PeerConnection {
	t.Helper()
	c := from.GetConnection(to.Identity().ID)
	if c == nil {
		t.Fatal("not connected")
	}
	return c
}

// prepared makes messages of size bytes from one transport to another.
func prepared(t testing.TB, from, to *Transport, n, size int) []*wire.Message {
	t.Helper()
	text := strings.Repeat("x", size)
	all := make([]*wire.Message, n)
	for i := range all {
		var err error
		if all[i], err = wire.NewMessage(wire.MsgChat, from.Identity().ID, to.Identity().ID, text); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// post sends all of them, as many at a time as the queue takes.
func post(t testing.TB, c *PeerConnection, messages []*wire.Message) {
	t.Helper()
	for _, msg := range messages {
		err := c.Post(msg)
		for ; errors.Is(err, ErrQueueFull); err = c.Post(msg) {
			time.Sleep(50 * time.Microsecond)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func awaitCount(t testing.TB, got *atomic.Int64, want int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); got.Load() < want; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages of %d came", got.Load(), want)
		}
	}
}

// A message takes three allocations on its whole way from Post to the handler: the message itself, its texts and its
// payload; nothing on the way out. Queues that run empty between two messages add to that, so on a busy machine the
// least of several tries counts.
func TestMessageAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector pools forget at random")
	}
	const n, most, tries = 10_000, 4.0, 10
	to, from, got := benchPair(t)
	c := connection(t, from, to)
	least := math.Inf(1)
	for try := int64(1); try <= tries && least > most; try++ {
		messages := prepared(t, from, to, n, 256)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		post(t, c, messages)
		awaitCount(t, got, try*n)
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/n)
	}
	if least > most {
		t.Errorf("%.2f allocations a message, at most %v are expected", least, most)
	}
}

func BenchmarkPost(b *testing.B) {
	to, from, got := benchPair(b)
	c := connection(b, from, to)
	messages := prepared(b, from, to, b.N, 256)
	b.ReportAllocs()
	b.ResetTimer()
	post(b, c, messages)
	awaitCount(b, got, int64(b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkDedup marks fresh ids from two connections in a set of a million live ones.
func BenchmarkDedup(b *testing.B) {
	d := newDedup(b, 1<<24, 1<<24)
	message := seenMessage("", "x")
	for i := range 1_000_000 {
		message.ID = fmt.Sprint(i)
		d.For("filler").Seen(message, dedupStart)
	}
	ids := make([]string, b.N)
	for i := range ids {
		ids[i] = uuid.NewString()
	}
	var next, peers atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(1)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		account := d.For(fmt.Sprint("peer", peers.Add(1)))
		message := seenMessage("", "x")
		for pb.Next() {
			message.ID = ids[next.Add(1)-1]
			account.Seen(message, dedupStart)
		}
	})
}

// BenchmarkConnect opens connections, each of a new peer that the reference library plays, one after the other, with
// an empty book and one that knows thousands.
func BenchmarkConnect(b *testing.B) {
	for _, known := range []int{0, 5000} {
		b.Run(fmt.Sprint("known=", known), func(b *testing.B) {
			node, _, _ := benchPair(b, func(book *PeerRegistry) {
				for i := range known {
					key := crypto.PublicKey{9, byte(i), byte(i >> 8)}
					book.Add(Peer{ID: key.NodeID(), PublicKey: key.String(), LastSeen: dedupStart})
				}
			})
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				identity, err := refpeer.New("newcomer")
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				conn, err := refpeer.Dial(b.Context(), node.URL(), refpeer.Options{Identity: identity})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				conn.Close()
				b.StartTimer()
			}
		})
	}
}
