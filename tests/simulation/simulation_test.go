package simulation

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

var (
	seedCount = flag.Int("seeds", envSeeds(500), "how many seeds TestSeeds runs; also SEEDS in the environment")
	firstSeed = flag.Uint64("from", 1, "the first of them")
	oneSeed   = flag.Uint64("seed", 0, "the seed that TestSeed runs, with a log of its steps")
	repeats   = flag.Int("repeat", 1, "how many times TestSeed runs it: the scheduler is not seeded")
	verbose   = flag.Bool("log", false, "TestSeed prints the nodes' logs and events, too")
)

func envSeeds(otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil {
		return n
	}
	return otherwise
}

// A panic outside of the driver ends the process: then the labels of its goroutine say which seed it was.
func init() { os.Setenv("GODEBUG", "tracebacklabels=1,"+os.Getenv("GODEBUG")) }

// TestSeeds runs many seeds.
func TestSeeds(t *testing.T) {
	const groups = 4 // in parallel: each is one goroutine that takes the next seed
	var next, failed atomic.Uint64
	for i := range groups {
		t.Run(fmt.Sprintf("group%d", i), func(t *testing.T) {
			t.Parallel()
			for failed.Load() < 10 {
				k := next.Add(1) - 1
				if k >= uint64(*seedCount) {
					return
				}
				if !run(t, *firstSeed+k, false) {
					failed.Add(1)
				}
			}
		})
	}
}

// TestSeed replays one seed.
func TestSeed(t *testing.T) {
	if *oneSeed == 0 {
		t.Skip("give a seed: -seed=N")
	}
	for range *repeats {
		if !run(t, *oneSeed, *verbose) {
			return
		}
	}
}

// run runs one seed in a bubble of its own and reports what it found. The bubble ends only when all its goroutines
// have: a leaked one is a deadlock, which must not hide which seed it was.
func run(t *testing.T, seed uint64, loud bool) (ok bool) {
	t.Helper()
	w := newWorld(seed, loud)
	return t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("panic: %v", r)
			}
			if faults := w.faults(); len(faults) > 0 || t.Failed() {
				t.Errorf("seed %d\n%s\nsteps:\n  %s\nreplay: go test ./tests/simulation -run TestSeed -seed=%d -v",
					seed, strings.Join(faults, "\n"), strings.Join(w.steps, "\n  "), seed)
			} else if *oneSeed != 0 {
				t.Logf("steps:\n  %s", strings.Join(w.steps, "\n  "))
			}
		}()
		synctest.Test(t, func(t *testing.T) {
			pprof.Do(t.Context(), pprof.Labels("seed", strconv.FormatUint(seed, 10)), func(context.Context) { w.live() })
		})
	})
}
