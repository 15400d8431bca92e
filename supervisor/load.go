package supervisor

import (
	"slices"
	"time"
)

// Load summarizes the connections that carry the traffic of the connected peers.
type Load struct {
	Peers        int // connected peers
	Sessions     int // of these, with a session
	Queued       int // messages in all outbound queues
	QueuedBytes  int
	LongestQueue int // messages

	// Last measured round trips of all peers; 0: none was measured.
	MinRTT, MedianRTT, MaxRTT time.Duration
}

// Load returns the present load. It takes one pass over the route table and does not ask the registry.
func (t *Transport) Load() Load {
	var l Load
	var trips []time.Duration
	for c := range t.Connections() {
		messages, bytes := c.Queued()
		l.Peers++
		l.Queued, l.QueuedBytes, l.LongestQueue = l.Queued+messages, l.QueuedBytes+bytes, max(l.LongestQueue, messages)
		if c.Format().Session {
			l.Sessions++
		}
		if trip := c.RoundTrip(); trip > 0 {
			trips = append(trips, trip)
		}
	}
	if n := len(trips); n > 0 {
		slices.Sort(trips)
		l.MinRTT, l.MedianRTT, l.MaxRTT = trips[0], trips[n/2], trips[n-1]
	}
	return l
}
