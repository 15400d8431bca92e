// Package measure has the measurements. The two ends of each run in processes of their own; the measuring process only
// sends them calls. Within a repeat every system is measured once, so that other load on the machine affects all alike,
// and only figures of one repeat are compared. Every other repeat has the reverse order.
package measure

import (
	"fmt"
	"io"
	"time"
)

// Plan is the extent of the measurements.
type Plan struct {
	Repeats     int
	Seconds     float64 // duration of one measurement of a rate
	Sizes       []int   // payload sizes in bytes
	Asks        int     // round trips
	Peers       int     // receivers of a broadcast
	Idle        int     // connections
	Known       int     // peers in the book while new connections are measured
	Connections int     // measured new connections
	IDs         int     // live IDs in the dedup set
	Rate        float64 // messages per second in the curve over connections

	// Points of the curves.
	CurveConnections, CurvePeers, CurveIdle, CurveKnown []int

	Only     string    // name of the only measured part; empty: all
	Portable string    // path of this program with the key stream in plain Go; empty: not measured
	Before   string    // path of this program at an earlier commit; empty: not measured
	Log      io.Writer // progress
}

// Full returns the complete plan, which takes about ten minutes.
func Full() Plan {
	return Plan{
		Repeats: 9, Seconds: 0.6, Sizes: []int{64, 256, 1 << 10, 16 << 10}, Asks: 4000,
		Peers: 1000, Idle: 10_000, Known: 5000, Connections: 1500, IDs: 1_000_000, Rate: 20_000,
		CurveConnections: []int{1, 3, 10, 30, 100, 300, 1000},
		CurvePeers:       []int{10, 30, 100, 300, 1000, 2000, 5000},
		CurveIdle:        []int{1000, 4000, 7000, 10_000},
		CurveKnown:       []int{0, 1000, 2500, 5000, 7500, 10_000},
	}
}

// Quick returns a plan of about two minutes. Its figures are rough.
func Quick() Plan {
	p := Full()
	p.Repeats, p.Seconds, p.Asks, p.Idle, p.Connections, p.IDs = 1, 0.2, 1000, 2000, 500, 200_000
	p.CurveConnections, p.CurvePeers = []int{1, 30, 1000}, []int{10, 1000}
	p.CurveIdle, p.CurveKnown = []int{1000, 2000}, []int{0, 5000}
	return p
}

// Smoke returns the smallest plan, which only shows that each measurement works.
func Smoke() Plan {
	return Plan{
		Repeats: 1, Seconds: 0.02, Sizes: []int{64, 16 << 10}, Asks: 20,
		Peers: 20, Idle: 20, Known: 50, Connections: 20, IDs: 1000, Rate: 20_000,
		CurveConnections: []int{1, 10}, CurvePeers: []int{10}, CurveIdle: []int{10, 20}, CurveKnown: []int{0, 50},
	}
}

// Row is the result of one measurement of one system in one repeat.
type Row struct {
	Measure string  `json:"measure"`
	System  string  `json:"system"`
	At      float64 `json:"at"` // point of the measure: payload size, number of connections, …
	Repeat  int     `json:"repeat"`
	Values  figures `json:"values"`
}

// Names of the measures, with the meaning of their At.
const (
	OneWay      = "one way"          // bytes
	RoundTrip   = "round trip"       // bytes
	Broadcast   = "broadcast"        // in flight
	Idle        = "idle"             // connections
	Connect     = "new connections"  // known peers
	Micro       = "codec and dedup"  // the part with both
	Codec       = "codec"            // bytes
	Dedup       = "dedup"            // live ids
	OverConns   = "over connections" // connections
	OverPeers   = "over peers"       // peers of a broadcast
	OverIdle    = "over idle"        // connections
	OverKnown   = "over known peers" // known peers
	InFlight    = 16                 // broadcasts in flight in a pipelined measurement
	largestIdle = 3                  // maximum repeats of long measurements
)

// run is one execution of a plan, with its rows so far.
type run struct {
	Plan
	rows []Row
}

// Run runs all measurements and returns their rows.
func Run(p Plan) ([]Row, error) {
	if p.Log == nil {
		p.Log = io.Discard
	}
	r := &run{Plan: p}
	for repeat := range p.Repeats {
		for _, part := range []struct {
			name string
			do   func(repeat int) error
		}{
			{Micro, r.micro},
			{OneWay, r.oneWay},
			{RoundTrip, r.roundTrip},
			{Broadcast, r.broadcasts},
			{Connect, r.connects},
			{Idle, r.idle},
			{"curves", r.curves},
		} {
			if p.Only != "" && p.Only != part.name {
				continue
			}
			began := time.Now()
			if err := part.do(repeat); err != nil {
				return nil, fmt.Errorf("%s: %w", part.name, err)
			}
			fmt.Fprintf(p.Log, "repeat %d: %s took %.1f s\n", repeat+1, part.name, time.Since(began).Seconds())
		}
	}
	return r.rows, nil
}

func (r *run) note(measure, system string, at float64, repeat int, values figures) {
	r.rows = append(r.rows, Row{Measure: measure, System: system, At: at, Repeat: repeat, Values: values})
}
