package actors

import (
	"log/slog"
	"math"

	"github.com/asynkron/protoactor-go/actor"
)

// NewSystem returns an actor system for nodes, on each platform. It has the small process registry of
// ShrinkProcessRegistry, and no log: protoactor's own log would print message contents.
func NewSystem() *actor.ActorSystem {
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	ShrinkProcessRegistry(system)
	FixProcessRegistry(system)
	return system
}

// FixProcessRegistry makes system usable on platforms whose int has 32 bits; elsewhere it changes nothing. NewTransport
// calls it. Call it before the system runs actors: it moves the entries of the process registry without a lock.
//
// protoactor computes the bucket of a PID as int(hash) % buckets, with a hash of 32 unsigned bits. Where int has 32
// bits, every second PID gets a negative index, and the spawn panics. With one bucket the index is always 0. That
// bucket is itself divided into 32 locked shards, by a second hash that is correct on all platforms.
func FixProcessRegistry(system *actor.ActorSystem) {
	if math.MaxInt == math.MaxInt32 {
		keepOneBucket(system.ProcessRegistry.LocalPIDs)
	}
}

// ShrinkProcessRegistry gives each bucket of the process registry one shard instead of 32: all of them take 5 MB while
// they are empty, and an actor takes 200 bytes more as long as nearly every shard holds one. Call it before the system
// runs actors: it moves the entries without a lock. NewSystem does; NewTransport leaves the system of a program as
// it is.
func ShrinkProcessRegistry(system *actor.ActorSystem) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		if len(bucket) > 1 && bucket[1] == bucket[0] {
			return // it was called before
		}
		entries := map[string]any{}
		if bucket.Count() > 0 {
			entries = bucket.Items()
		}
		for i := range bucket {
			bucket[i] = bucket[0]
		}
		bucket.MSet(entries)
	}
}

// keepOneBucket moves all entries to the first bucket and drops the others.
func keepOneBucket(pids *actor.SliceMap) {
	buckets := pids.LocalPIDs
	if len(buckets) == 1 {
		return
	}
	for _, bucket := range buckets[1:] {
		buckets[0].MSet(bucket.Items())
	}
	pids.LocalPIDs = buckets[:1:1]
}
