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
	seedCount = flag.Int("seeds", envSeeds(500), "number of seeds of TestSeedsKeepInvariants; environment: SEEDS")
	firstSeed = flag.Uint64("from", 1, "first seed")
	oneSeed   = flag.Uint64("seed", 0, "seed of TestReplayKeepsInvariants, which logs its steps")
	repeats   = flag.Int("repeat", 1, "number of runs of that seed: the scheduler is not seeded")
	verbose   = flag.Bool("log", false, "TestReplayKeepsInvariants also prints the logs and events of the nodes")
)

func envSeeds(otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv("SEEDS")); err == nil {
		return n
	}
	return otherwise
}

// A panic outside of the driver ends the process. The label of its goroutine in the traceback then names the seed.
func init() { os.Setenv("GODEBUG", "tracebacklabels=1,"+os.Getenv("GODEBUG")) }

// TestSeedsKeepInvariants runs many seeds.
func TestSeedsKeepInvariants(t *testing.T) {
	const groups = 4 // parallel goroutines; each takes the next seed
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

// TestReplayKeepsInvariants replays one seed.
func TestReplayKeepsInvariants(t *testing.T) {
	if *oneSeed == 0 {
		t.Skip("give a seed: -seed=N")
	}
	for range *repeats {
		if !run(t, *oneSeed, *verbose) {
			return
		}
	}
}

// run runs one seed in its own bubble, reports its faults and returns whether there were none. A leaked goroutine is a
// deadlock of the bubble, which panics; the report then still names the seed.
func run(t *testing.T, seed uint64, loud bool) (ok bool) {
	t.Helper()
	w := newWorld(seed, loud)
	return t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("panic: %v", r)
			}
			if faults := w.faults(); len(faults) > 0 || t.Failed() {
				t.Errorf("seed %d\n%s\nsteps:\n  %s\nreplay: go test ./tests/simulation -run TestReplay -seed=%d -v",
					seed, strings.Join(faults, "\n"), strings.Join(w.steps, "\n  "), seed)
			} else if *oneSeed != 0 {
				t.Logf("steps:\n  %s", strings.Join(w.steps, "\n  "))
			}
		}()
		synctest.Test(t, func(t *testing.T) {
			pprof.Do(t.Context(), pprof.Labels("seed", strconv.FormatUint(seed, 10)), func(context.Context) { w.live(t) })
		})
	})
}
