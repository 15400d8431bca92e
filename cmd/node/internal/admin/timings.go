package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Timings holds the histograms of a node. It implements supervisor.Observer; its methods neither allocate nor block.
type Timings struct {
	roundTrip, handshake, handler prometheus.Histogram
}

// NewTimings returns empty histograms.
func NewTimings() *Timings {
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	return &Timings{
		roundTrip: histogram("p2p_round_trip_seconds", "Time from a ping to its pong.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		handshake: histogram("p2p_handshake_seconds",
			"Time from the socket to the open connection, of accepted handshakes.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		handler: histogram("p2p_handler_seconds", "Run time of the message handler.",
			[]float64{.000001, .00001, .0001, .001, .01, .1, 1, 10}),
	}
}

// RoundTrip implements supervisor.Observer.
func (t *Timings) RoundTrip(d time.Duration) { t.roundTrip.Observe(d.Seconds()) }

// Handshake implements supervisor.Observer.
func (t *Timings) Handshake(d time.Duration) { t.handshake.Observe(d.Seconds()) }

// Handler implements supervisor.Observer.
func (t *Timings) Handler(d time.Duration) { t.handler.Observe(d.Seconds()) }
