package bench

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// subBits divides each power of two into 64 buckets, so that percentiles are exact to 1.6 %.
const subBits = 6

// histogram counts durations in nanoseconds. Safe for concurrent use; add does not allocate.
type histogram struct {
	counts [(64 - subBits) << subBits]atomic.Uint64
	max    atomic.Int64
}

// Percentiles are the percentiles of a histogram in milliseconds.
type Percentiles struct {
	Samples uint64  `json:"samples"`
	P50     float64 `json:"p50Ms"`
	P90     float64 `json:"p90Ms"`
	P99     float64 `json:"p99Ms"`
	P999    float64 `json:"p999Ms"`
	Max     float64 `json:"maxMs"`
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))].Add(1)
	for {
		largest := h.max.Load()
		if int64(d) <= largest || h.max.CompareAndSwap(largest, int64(d)) {
			return
		}
	}
}

// bucket returns the index of a value's bucket. Values below 128 have a bucket each; larger values share one by their
// highest 7 bits.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bound returns the largest value of a bucket.
func bound(at int) uint64 {
	if at < 2<<subBits {
		return uint64(at)
	}
	shift := at>>subBits - 1
	return (uint64(at-shift<<subBits)+1)<<shift - 1
}

// percentiles returns nil without samples, because zeros would look like a perfect result.
func (h *histogram) percentiles() *Percentiles {
	p := &Percentiles{Max: float64(h.max.Load()) / 1e6}
	for i := range h.counts {
		p.Samples += h.counts[i].Load()
	}
	if p.Samples == 0 {
		return nil
	}
	for _, q := range []struct {
		part  float64
		field *float64
	}{{.5, &p.P50}, {.9, &p.P90}, {.99, &p.P99}, {.999, &p.P999}} {
		*q.field = min(h.quantile(q.part, p.Samples), p.Max)
	}
	return p
}

func (h *histogram) quantile(part float64, of uint64) float64 {
	left := uint64(part * float64(of))
	for i := range h.counts {
		n := h.counts[i].Load()
		if n > left {
			return float64(bound(i)) / 1e6
		}
		left -= n
	}
	return 0
}
