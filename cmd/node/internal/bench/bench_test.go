package bench

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/Snider/go-p2p/supervisor"
)

// TestMain fails the run if a test leaks a goroutine. The dead-letter throttle of the actor library ends by itself
// within a second.
func TestMain(m *testing.M) {
	const throttle = "github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction(throttle))
}

// Every message of a pair is delivered or counted, and each delivery has a latency.
func TestPairDeliversOrCountsEveryMessage(t *testing.T) {
	r, err := Run(context.Background(), Options{
		Size: 1 << 10, Rate: 2000, Connections: 3, Duration: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	all := *r.Delivered
	for _, n := range r.Drops { // on a slow machine some are stale
		all += n
	}
	if r.Sent == 0 || all != r.Sent || r.Latency == nil || r.Latency.Samples != *r.Delivered ||
		r.LatencyKind != "one way" {
		t.Errorf("sent %d, delivered %d, drops %v, latency %+v", r.Sent, *r.Delivered, r.Drops, r.Latency)
	}
	if p := r.Latency; p.P50 <= 0 || p.P50 > p.P90 || p.P90 > p.P99 || p.P99 > p.P999 || p.P999 > p.Max {
		t.Errorf("percentiles %+v", p)
	}
	if r.CPUSeconds <= 0 || r.CPUPerMessage <= 0 || r.HeapBytes == 0 || r.MaxResidentBytes == 0 {
		t.Errorf("result %+v", r)
	}
}

func TestLimitedPairCountsRateLimitedMessages(t *testing.T) {
	began := time.Now()
	r, err := Run(context.Background(), Options{
		Size: 100, Rate: 2000, Connections: 1, Duration: 300 * time.Millisecond, Limited: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	limits := supervisor.DefaultTransportConfig()
	most := uint64(limits.RateBurst + limits.RateRefill*time.Since(began).Seconds() + 1) // the first one needs no token
	if limited := r.Drops["messagesRateLimited"]; limited == 0 || *r.Delivered+limited != r.Sent || *r.Delivered > most {
		t.Errorf("sent %d, delivered %d of %d at most, limited %d", r.Sent, *r.Delivered, most, limited)
	}
}

func TestLoadKeepsBelowItsRate(t *testing.T) {
	r, err := Run(context.Background(), Options{Size: 100, Rate: 200, Connections: 2, Duration: 300 * time.Millisecond})
	most := uint64(200*r.Seconds) + 2 // one message of each connection at the beginning
	if err != nil || r.Sent == 0 || r.Sent > most {
		t.Errorf("sent %d in %v s, want %d at most, %v", r.Sent, r.Seconds, most, err)
	}
}

// Each of two connections sends half of the rate. A pause of the senders is made up for.
func TestPaceKeepsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second-1)
		defer cancel()
		s := &source{load: &load{Options: Options{Rate: 200, Connections: 2}}}
		due := make(chan time.Time)
		go s.pace(ctx, due)
		began, n := time.Now(), 0
		for at := range due {
			if want := began.Add(time.Duration(n) * 10 * time.Millisecond); !at.Equal(want) {
				t.Fatalf("message %d is due %v after the start, want %v", n, at.Sub(began), want.Sub(began))
			}
			if n++; n == 20 {
				time.Sleep(300 * time.Millisecond)
			}
		}
		if n != 100 {
			t.Errorf("%d messages in a second, want 100", n)
		}
	})
}

// For a running node, latencies are round trips of pings, and drops come from Counters.
func TestTargetIsMeasuredByPings(t *testing.T) {
	pair := &load{Options: Options{Size: 100, Connections: 1}, errors: make(map[string]uint64)}
	if err := pair.connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer pair.stop()
	r, err := Run(context.Background(), Options{
		Target: pair.target.node.Addr().String(), Size: 200, Rate: 100, Connections: 1, Duration: 400 * time.Millisecond,
		Counters: func(context.Context) (map[string]uint64, error) { return pair.target.node.Counters(), nil },
	})
	if err != nil || r.Delivered != nil || r.LatencyKind != "round trip" || r.Latency == nil || len(r.Drops) == 0 ||
		r.Sent == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Without samples the latency is unknown, not 0.
func TestLatencyWithoutSamplesIsUnknown(t *testing.T) {
	l := &load{Options: Options{Target: "host:1", Size: 100, Connections: 1}, target: &target{}}
	r := l.result(time.Second, 0)
	var text strings.Builder
	r.Write(&text)
	if !strings.Contains(text.String(), "latency    not known: no ping was answered\n") {
		t.Errorf("text %s", text.String())
	}
	if line, err := json.Marshal(r); err != nil || !strings.Contains(string(line), `"latency":null,`) {
		t.Errorf("%s, %v", line, err)
	}
}

func TestUnreachableTargetIsAnError(t *testing.T) {
	_, err := Run(context.Background(), Options{Target: "127.0.0.1:1", Size: 100, Connections: 1, Duration: time.Second})
	if err == nil {
		t.Error("no error")
	}
}

func TestInterruptedLoadReturnsItsResult(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := Run(ctx, Options{Size: 100, Connections: 1, Duration: time.Hour, Progress: func(p Progress) {
		if p.Sent > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || r.Sent == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPayloadHasTheSize(t *testing.T) {
	for _, size := range []int{MinSize, 100, 1 << 20} {
		text := payload(time.Unix(0, 1_700_000_000_000_000_001), size)
		if len(text) != size || !json.Valid(text) {
			t.Errorf("size %d: %d bytes, %.80s", size, len(text), text)
		}
	}
}

func TestHistogramIsAccurate(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	p := h.percentiles()
	near := func(got, want float64) bool { return got >= want*0.98 && got <= want*1.02 }
	if p.Samples != 1000 || !near(p.P50, 0.5) || !near(p.P90, 0.9) || !near(p.P99, 0.99) || p.Max != 1 {
		t.Errorf("%+v", p)
	}
	for v := uint64(1); v < 1<<62; v = v*3/2 + 1 {
		at := bucket(v)
		if bound(at) < v || float64(bound(at)) > float64(v)*1.017 || bucket(bound(at)) != at || bucket(bound(at)+1) != at+1 {
			t.Errorf("%d is counted at %d, up to %d", v, at, bound(at))
		}
	}
}

func TestOnThisHostRecognisesOwnAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:9091": true, "[::1]:9091": true, "ws://127.0.0.2:1/ws": true,
		"192.0.2.1:9091": false, "wss://198.51.100.7:443/ws": false,
	} {
		if got, err := OnThisHost(context.Background(), address); err != nil || got != want {
			t.Errorf("%s: %v, %v", address, got, err)
		}
	}
	if _, err := OnThisHost(context.Background(), "nonsense"); err == nil {
		t.Error("nonsense has an address")
	}
}
