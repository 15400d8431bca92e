package actors

import (
	"fmt"
	"log/slog"
	"math"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// newSystem returns a silent actor system that also works on 32-bit platforms.
func newSystem() *actor.ActorSystem {
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	system := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	FixProcessRegistry(system)
	return system
}

// With one bucket, the registry keeps its entries. Half of the hashes of the new names exceed 31 bits: on a 32-bit
// platform the unchanged registry panics at the first of those.
func TestOneBucketKeepsEntries(t *testing.T) {
	registry := newSystem().ProcessRegistry
	checkEntries(t, registry, func() { keepOneBucket(registry.LocalPIDs) })
	if n := len(registry.LocalPIDs.LocalPIDs); n != 1 {
		t.Errorf("%d buckets, want 1", n)
	}
}

func TestShrunkProcessRegistryKeepsEntries(t *testing.T) {
	system := newSystem()
	registry := system.ProcessRegistry
	checkEntries(t, registry, func() { ShrinkProcessRegistry(system) })
	shards := map[any]bool{}
	for _, bucket := range registry.LocalPIDs.LocalPIDs {
		for _, shard := range bucket {
			shards[shard] = true
		}
	}
	if buckets := len(registry.LocalPIDs.LocalPIDs); len(shards) != buckets {
		t.Errorf("%d shards in %d buckets, want one in each", len(shards), buckets)
	}
}

// checkEntries requires that an earlier entry of the registry stays when change is called, twice, and that 1,000 new
// names are added, found and removed then.
func checkEntries(t *testing.T, registry *actor.ProcessRegistryValue, change func()) {
	t.Helper()
	early, ok := registry.GetLocal("eventstream")
	if !ok {
		t.Fatal("the new system has no process named eventstream")
	}
	change()
	change()
	if kept, ok := registry.GetLocal("eventstream"); !ok || kept != early {
		t.Error("the entry from before the change is lost")
	}
	for i := range 1000 {
		name := fmt.Sprint("peer$", i)
		pid, added := registry.Add(early, name)
		if found, ok := registry.Get(pid); !added || !ok || found != early {
			t.Fatalf("%s: added %v, found %v", name, added, ok)
		}
		if registry.Remove(pid); registry.LocalPIDs.GetBucket(name).Has(name) {
			t.Fatalf("%s: still there after its removal", name)
		}
	}
}

func TestFixProcessRegistryFollowsThePlatform(t *testing.T) {
	want := 1024
	if math.MaxInt == math.MaxInt32 {
		want = 1
	}
	if n := len(newSystem().ProcessRegistry.LocalPIDs.LocalPIDs); n != want {
		t.Errorf("%d buckets, want %d", n, want)
	}
}
