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

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// connection waits for the connection to a peer.
func connection(t testing.TB, from, to *Transport) *PeerConnection {
	t.Helper()
	c := from.GetConnection(to.Identity().ID)
	if c == nil {
		t.Fatal("not connected")
	}
	return c
}

// prepared returns messages of size bytes from one transport to another.
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

// post sends all messages, as many at a time as the queue accepts.
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

// A message costs three allocations from Post to the handler: the message, its texts and its payload. Sending costs
// none. Queues that run empty between two messages add more, so the test takes the minimum of several tries.
func TestMessageTakesThreeAllocations(t *testing.T) {
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

// BenchmarkConnect opens connections one after the other, each of a new peer played by the reference library, with an
// empty book and with one of thousands of entries.
func BenchmarkConnect(b *testing.B) {
	for _, known := range []int{0, 5000} {
		b.Run(fmt.Sprint("known=", known), func(b *testing.B) {
			node, _, _ := benchPair(b, func(book *PeerRegistry) {
				for i := range known {
					key := crypto.PublicKey{9, byte(i), byte(i >> 8)}
					book.Add(Peer{ID: key.NodeID(), PublicKey: key.String(), LastSeen: time.Unix(1_700_000_000, 0)})
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
