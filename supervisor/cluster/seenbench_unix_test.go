//go:build unix

package cluster_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/wire"
)

// BenchmarkSeen measures the dedup of a connection, in CPU time of both members per message: of one process, and of a
// member that receives a share of the messages through a relay, whose author is connected to the other member. Messages
// are checked 32 at a time.
func BenchmarkSeen(b *testing.B) {
	for _, relayed := range []int{-1, 0, 10, 100} {
		name := fmt.Sprintf("%d%% relayed", relayed)
		if relayed < 0 {
			name = "one process"
		}
		b.Run(name, func(b *testing.B) { benchmarkSeen(b, relayed) })
	}
}

func benchmarkSeen(b *testing.B, relayed int) {
	system := actors.NewSystem()
	defer system.Shutdown()
	w := &world{net: membus.New(1), system: system, members: map[string]*process{}}
	for _, name := range []string{"here", "there"} {
		p := w.newProcess(name)
		p.set = memberSet(b, 1<<23)
		if err := p.engine.Join(context.Background(), p); err != nil {
			b.Fatal(err)
		}
		defer p.engine.Leave()
	}
	here := w.members["here"]
	here.connect("peer")
	w.members["there"].connect("author")
	time.Sleep(500 * time.Millisecond)
	account, state := here.set.Join("peer", ""), here.engine.Author("peer")
	messages := make([]*wire.Message, b.N)
	for i := range messages {
		author := "peer"
		if i%100 < relayed {
			author = "author"
		}
		messages[i] = w.message(fmt.Sprint(i), author)
	}
	var waiting []*supervisor.SeenCheck
	began := cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	for _, msg := range messages {
		switch now := time.Now(); {
		case relayed < 0 || msg.From == "peer" && state.Settled(msg.Timestamp):
			account.Seen(msg, now)
		case here.engine.Judge(msg.From, msg.Timestamp, false) == supervisor.SeenAsk:
			digest := account.Digest(msg, now)
			if account.KnownDigest(digest, now) == actors.Fresh {
				waiting = append(waiting, &supervisor.SeenCheck{Author: msg.From, Digest: digest, Stamp: msg.Timestamp})
			}
		default:
			b.Fatal("not settled")
		}
		if len(waiting) == 32 {
			here.engine.CheckSeen(waiting, time.Now().Add(time.Second))
			for _, c := range waiting {
				if c.Verdict != actors.Fresh || account.SeenDigest(c.Digest, time.Now()) != actors.Fresh {
					b.Fatalf("verdict %v", c.Verdict)
				}
			}
			waiting = waiting[:0]
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-began)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
