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

// With one bucket, earlier entries stay, and 1,000 new names are added, found and removed. Half of their hashes exceed
// 31 bits: on a 32-bit platform the unchanged registry panics at the first of those.
func TestOneBucketKeepsEntries(t *testing.T) {
	system := newSystem()
	registry := system.ProcessRegistry
	early, ok := registry.Get(actor.NewPID(registry.Address, "eventstream"))
	if !ok {
		t.Fatal("the new system has no process named eventstream")
	}
	keepOneBucket(registry.LocalPIDs)
	keepOneBucket(registry.LocalPIDs) // the second call changes nothing
	if n := len(registry.LocalPIDs.LocalPIDs); n != 1 {
		t.Fatalf("%d buckets, want 1", n)
	}
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

// With one shard in each bucket, earlier entries stay, and names are added, found and removed as before. A second call
// changes nothing, so a system may be shrunk twice.
func TestShrunkProcessRegistryKeepsEntries(t *testing.T) {
	system := newSystem()
	registry := system.ProcessRegistry
	early, ok := registry.GetLocal("eventstream")
	if !ok {
		t.Fatal("the new system has no process named eventstream")
	}
	ShrinkProcessRegistry(system)
	ShrinkProcessRegistry(system)
	shards := map[any]bool{}
	for _, bucket := range registry.LocalPIDs.LocalPIDs {
		for _, shard := range bucket {
			shards[shard] = true
		}
	}
	if buckets := len(registry.LocalPIDs.LocalPIDs); len(shards) != buckets {
		t.Errorf("%d shards in %d buckets, want one in each", len(shards), buckets)
	}
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
