package bench

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// subBits gives each power of two 64 parts, so that a percentile is off by 1.6 % at most.
const subBits = 6

// histogram counts durations in nanoseconds. Safe for concurrent use; it never allocates.
type histogram struct {
	counts [(64 - subBits) << subBits]atomic.Uint64
	most   atomic.Int64
}

// Percentiles are in milliseconds.
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
	h.counts[place(uint64(d))].Add(1)
	for {
		most := h.most.Load()
		if int64(d) <= most || h.most.CompareAndSwap(most, int64(d)) {
			return
		}
	}
}

// place is where a value is counted: small ones each for itself, larger ones by their first bits.
func place(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bound is the largest value that is counted at a place.
func bound(at int) uint64 {
	if at < 2<<subBits {
		return uint64(at)
	}
	shift := at>>subBits - 1
	return (uint64(at-shift<<subBits)+1)<<shift - 1
}

// percentiles returns nil without a sample: zeros would read as the best there can be.
func (h *histogram) percentiles() *Percentiles {
	p := &Percentiles{Max: float64(h.most.Load()) / 1e6}
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
