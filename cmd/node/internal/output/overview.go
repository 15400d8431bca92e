package output

import "github.com/Snider/go-p2p/supervisor"

// Overview is the state of one member with a page of its peers, as the dashboard of another member asks for it once a
// second.
type Overview struct {
	Status Status `json:"status"`
	Known  int    `json:"known"` // peers in the peer book
	Load   Load   `json:"load"`

	// Peers are those in use: connected ones, and addresses that are kept connected. If the whole peer book fits a page,
	// it is all. Never nil.
	Peers       []Peer         `json:"peers"`
	QueuedBytes map[string]int `json:"queuedBytes"`    // that wait for a peer, by node ID; without those of 0; never nil
	Next        string         `json:"next,omitempty"` // parameter after for the next page; absent: this is the last
}

// Load is the JSON of a summary of the connected peers.
type Load struct {
	Peers       int     `json:"peers"`  // connected ones
	Queued      int     `json:"queued"` // messages in all outbound queues
	MinRTTMs    float64 `json:"minRttMs"`
	MedianRTTMs float64 `json:"medianRttMs"` // 0: none was measured
	MaxRTTMs    float64 `json:"maxRttMs"`
}

// NewLoad formats a summary of the connected peers.
func NewLoad(l supervisor.Load) Load {
	return Load{
		Peers: l.Peers, Queued: l.Queued, MinRTTMs: Milliseconds(l.MinRTT), MedianRTTMs: Milliseconds(l.MedianRTT),
		MaxRTTMs: Milliseconds(l.MaxRTT),
	}
}
