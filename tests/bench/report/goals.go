package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/Snider/go-p2p/tests/bench/measure"
	"github.com/Snider/go-p2p/tests/bench/systems"
)

// goal is one row of the goals: the ratio of a figure of our node to that of another system in the same repeat, the
// difference of the two, or a plain figure of our node.
type goal struct {
	name        string
	goal, floor float64 // floor NaN: no floor
	less        bool    // smaller values are better
	format      func(float64) string
	of          figureOf
}

// figureOf returns a figure of one repeat; ok is false if it was not measured.
type figureOf func(r *Results, repeat int) (value float64, ok bool)

// point is one figure of a measure at one point.
type point struct {
	measure string
	at      func(*Results) float64
	figure  string
}

func (p point) of(system string) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		return r.value(p.measure, system, p.at(r), repeat, p.figure)
	}
}

// over returns the ratio of one system's figure to another's.
func (p point) over(ours, theirs string) figureOf { return ratio(p.of(ours), p.of(theirs)) }

func ratio(above, below figureOf) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		a, ok := above(r, repeat)
		b, ok2 := below(r, repeat)
		return a / b, ok && ok2 && b != 0
	}
}

// minus returns the difference of one system's figure to another's.
func (p point) minus(ours, theirs string) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		a, ok := p.of(ours)(r, repeat)
		b, ok2 := p.of(theirs)(r, repeat)
		return a - b, ok && ok2
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

// The points that goals refer to.
var (
	roundTrip = point{measure.RoundTrip, fixed(256), "p50"}
	oneFlying = point{measure.Broadcast, fixed(1), "rate"}
	pipelined = point{measure.Broadcast, fixed(measure.InFlight), "rate"}
	delivery  = point{measure.Broadcast, fixed(measure.InFlight), "server cpu"}
	resident  = point{measure.Idle, last(measure.Idle), "resident"}
	newKnown  = point{measure.Connect, last(measure.Connect), "rate"}
	newRate   = point{measure.Connect, fixed(0), "rate"}
	newCPU    = point{measure.Connect, fixed(0), "server cpu"}
	received  = point{measure.OneWay, fixed(256), "allocations received"}
)

// oneWay is a figure of one way messages.
func oneWay(size float64, figure string) point { return point{measure.OneWay, fixed(size), figure} }

// outbound returns the allocations of a sender per message, without those of making the message.
func outbound(system string) figureOf {
	return func(r *Results, repeat int) (float64, bool) {
		sent, ok := oneWay(256, "allocations sent").of(system)(r, repeat)
		making, ok2 := oneWay(256, "allocations of making").of(system)(r, repeat)
		return max(0, sent-making), ok && ok2
	}
}

// codecRatio compares both libraries within one process: the row of our build has the figures of both.
func codecRatio(what string) figureOf {
	at := func(library string) figureOf {
		return point{measure.Codec, fixed(256), what + " " + library}.of(systems.Ours)
	}
	return ratio(at(systems.Reference), at(systems.Ours))
}

// none means that a goal has no floor.
var none = math.NaN()

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
		return fmt.Sprintf("goal missed by %s, floor met", g.missing(s.median, g.goal))
	default:
		return fmt.Sprintf("**missed**, %s beyond the floor", g.missing(s.median, g.floor))
	}
}

// missing returns how far a value is from the wanted one: a share, or a difference if the wanted value is 0.
func (g *goal) missing(v, wanted float64) string {
	if wanted == 0 {
		return g.format(math.Abs(v))
	}
	share := v/wanted - 1
	if !g.less {
		share = 1 - v/wanted
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

// times, number and more are formats of goals.
func times(v float64) string  { return short(v) + "×" }
func number(v float64) string { return short(v) }
func more(v float64) string   { return fmt.Sprintf("%+.2f kB", v/1000) }

// sizeName returns a payload size with its unit.
func sizeName(bytes float64) string {
	if bytes >= 1024 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", bytes/1024), ".0") + " KiB"
	}
	return fmt.Sprintf("%.0f B", bytes)
}
