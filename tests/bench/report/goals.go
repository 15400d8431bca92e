package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// goal is one row of the goals: the ratio of our figure to that of another system in the same repeat, or a plain figure
// of our system.
type goal struct {
	name        string
	goal, floor float64 // floor NaN: no floor
	less        bool    // smaller values are better
	plain       bool    // a figure of our system, not a ratio
	of          figureOf
}

// figureOf returns a figure of one repeat; ok is false if it was not measured.
type figureOf func(r *Results, repeat int) (value float64, ok bool)

// versus returns the ratio of one system's figure to another's. inverse swaps the two, for figures that are better when
// smaller.
func versus(name, ours, theirs string, at func(*Results) float64, figure string, inverse bool) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		a, ok := r.value(name, ours, at(r), repeat, figure)
		b, ok2 := r.value(name, theirs, at(r), repeat, figure)
		if inverse {
			a, b = b, a
		}
		return a / b, ok && ok2 && b != 0
	}
}

func fixed(at float64) func(*Results) float64 { return func(*Results) float64 { return at } }

// last returns the largest point of a measure.
func last(name string) func(*Results) float64 {
	return func(r *Results) float64 {
		points := r.points(name)
		if len(points) == 0 {
			return 0
		}
		return points[len(points)-1]
	}
}

func plain(name, system string, at func(*Results) float64, figure string) figureOf {
	return func(r *Results, repeat int) (float64, bool) { return r.value(name, system, at(r), repeat, figure) }
}

// outbound returns the allocations of a sender per message, without those of making the message.
func outbound(r *Results, repeat int) (float64, bool) {
	sent, ok := r.value(measure.OneWay, systems.Ours, 256, repeat, "allocations sent")
	making, ok2 := r.value(measure.OneWay, systems.Ours, 256, repeat, "allocations of making")
	return max(0, sent-making), ok && ok2
}

// flat returns the ratio of the rate of new connections with a full peer book to the rate with an empty one.
func flat(r *Results, repeat int) (float64, bool) {
	full, ok := r.value(measure.Connect, systems.Ours, last(measure.Connect)(r), repeat, "rate")
	empty, ok2 := r.value(measure.Connect, systems.Ours, 0, repeat, "rate")
	return full / empty, ok && ok2 && empty != 0
}

// codecRatio compares both libraries within one process: the row of our build has the figures of both.
func codecRatio(what string) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		ours, ok := r.value(measure.Codec, systems.Ours, 256, repeat, what+" "+systems.Ours)
		theirs, ok2 := r.value(measure.Codec, systems.Ours, 256, repeat, what+" "+systems.Reference)
		return theirs / ours, ok && ok2 && ours != 0
	}
}

// none means that a goal has no floor.
var none = math.NaN()

// goals returns the goals of the project.
func goals() []goal {
	list := []goal{}
	for _, g := range []struct {
		size                       float64
		goal, floor, pGoal, pFloor float64
	}{{64, 6, 5, 3.4, 2.8}, {256, 9, 7, 3.4, 2.7}, {1 << 10, 9.5, 7.5, 2.2, 1.8}, {16 << 10, 11.5, 9, 0.8, 0.65}} {
		size := sizeName(g.size)
		list = append(list,
			goal{
				name: "one way, " + size, goal: g.goal, floor: g.floor,
				of: versus(measure.OneWay, systems.Ours, systems.Reference, fixed(g.size), "rate", false),
			},
			goal{
				name: "one way, " + size + ", portable", goal: 4.5, floor: 4,
				of: versus(measure.OneWay, measure.Portable, systems.Reference, fixed(g.size), "rate", false),
			},
			goal{
				name: "one way, " + size + ", against go-libp2p", goal: g.pGoal, floor: g.pFloor,
				of: versus(measure.OneWay, systems.Ours, systems.LibP2P, fixed(g.size), "rate", false),
			})
	}
	known := last(measure.Connect)
	return append(list,
		goal{
			name: "round trip p50, 256 B, one core", goal: 0.45, floor: 0.55, less: true,
			of: versus(measure.RoundTrip, systems.Ours, systems.Reference, fixed(256), "p50", false),
		},
		goal{
			name: "CPU per message, 256 B, both ends", goal: 1. / 8, floor: 1 / 5.7, less: true,
			of: versus(measure.OneWay, systems.Ours, systems.Reference, fixed(256), "cpu", false),
		},
		goal{
			name: "broadcast, one in flight", goal: 3, floor: 2.5,
			of: versus(measure.Broadcast, systems.Ours, systems.Reference, fixed(1), "rate", false),
		},
		goal{
			name: "broadcast, pipelined", goal: 16, floor: 12,
			of: versus(measure.Broadcast, systems.Ours, systems.Reference, fixed(measure.InFlight), "rate", false),
		},
		goal{
			name: "resident memory of an idle connection", goal: 0.85, floor: 1, less: true,
			of: versus(measure.Idle, systems.Ours, systems.Reference, last(measure.Idle), "resident", false),
		},
		goal{
			name: "goroutines of an idle connection (1.01 counts as one)", goal: 1.01, floor: none, less: true, plain: true,
			of: plain(measure.Idle, systems.Ours, last(measure.Idle), "goroutines"),
		},
		goal{
			name: "new connections per second, many known peers", goal: 5, floor: 4,
			of: versus(measure.Connect, systems.Ours, systems.Reference, known, "rate", false),
		},
		goal{
			name: "the same divided by the rate without known peers (0.9 counts as flat)", goal: 0.9, floor: none,
			of: flat,
		},
		goal{name: "seal, 256 B", goal: 8, floor: 6, of: codecRatio("seal")},
		goal{name: "open, 256 B", goal: 10, floor: 8, of: codecRatio("open")},
		goal{
			name: "dedup, many live IDs, two goroutines", goal: 4, floor: 3,
			of: versus(measure.Dedup, systems.Ours, systems.Reference, last(measure.Dedup), "seconds", true),
		},
		goal{
			name: "dedup, bytes per ID and generation", goal: 40, floor: none, less: true, plain: true,
			of: plain(measure.Dedup, systems.Ours, last(measure.Dedup), "bytes"),
		},
		goal{
			name: "allocations per message, outbound (0.1 counts as none)", goal: 0.1, floor: none, less: true, plain: true,
			of: outbound,
		},
		goal{
			name: "allocations per message, inbound", goal: 3, floor: 5, less: true, plain: true,
			of: plain(measure.OneWay, systems.Ours, fixed(256), "allocations received"),
		},
	)
}

// verdict returns whether the goal is met, or by how much it is missed, as text.
func (g *goal) verdict(s spread) string {
	if s.n == 0 {
		return "not measured"
	}
	better := func(v, than float64) bool {
		if g.less {
			return v <= than
		}
		return v >= than
	}
	switch {
	case better(s.median, g.goal):
		return "met"
	case math.IsNaN(g.floor):
		return fmt.Sprintf("**missed** by %s", g.missing(s.median, g.goal))
	case better(s.median, g.floor):
		return fmt.Sprintf("goal missed by %s, above the floor", g.missing(s.median, g.goal))
	default:
		return fmt.Sprintf("**missed**, %s below the floor", g.missing(s.median, g.floor))
	}
}

func (g *goal) missing(v, wanted float64) string {
	share := v/wanted - 1
	if !g.less {
		share = 1 - v/wanted
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// sizeName returns a payload size with its unit.
func sizeName(bytes float64) string {
	if bytes >= 1024 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", bytes/1024), ".0") + " KiB"
	}
	return fmt.Sprintf("%.0f B", bytes)
}
