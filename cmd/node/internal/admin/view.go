package admin

import (
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// maxPeers is the most peers and addresses that a view lists.
const maxPeers = 1000

// view is the JSON of one sample, the data of a tick event. Times are Unix milliseconds.
type view struct {
	Time        int64             `json:"t"`
	Row         row               `json:"row"`
	State       string            `json:"state"` // accepting, dialling (does not listen) or stopping
	Address     string            `json:"address"`
	Uptime      float64           `json:"uptime"` // seconds
	Auth        string            `json:"auth"`
	Established int               `json:"established"`
	Pending     int               `json:"pending"`
	Max         int               `json:"max"`
	Goroutines  int               `json:"goroutines"`
	Heap        uint64            `json:"heap"` // bytes
	Counters    map[string]uint64 `json:"counters"`
	Known       int               `json:"known"`
	Listed      int               `json:"listed"` // peers and addresses, also those beyond maxPeers
	Full        bool              `json:"full"`   // Peers are all peers, else those with changes since the tick before
	Peers       []peerChange      `json:"peers"`  // of at most maxPeers, chosen by comparePeers
	Gone        []string          `json:"gone"`   // keys of peers that the tick before had
	Tree        treeView          `json:"tree"`
}

func newView(node Node, counters map[string]uint64, now time.Time) *view {
	v := &view{Time: now.UnixMilli(), State: "stopping", Counters: counters, Known: node.KnownPeers()}
	if node.Accepting() {
		v.State = "accepting"
	}
	return v
}

// addStatus adds the node's status. A node that answers but does not accept peers was configured not to listen.
func (v *view) addStatus(s supervisor.Status) {
	if v.State != "accepting" {
		v.State = "dialling"
	}
	v.Address, v.Uptime, v.Auth = s.Address, s.Uptime.Seconds(), s.Auth.String()
	v.Established, v.Pending, v.Max = s.Connections.Established, s.Connections.Pending, s.Connections.Max
	v.Goroutines, v.Heap = s.Goroutines, s.HeapBytes
}

// listPeers returns the first maxPeers peers and kept addresses in the order of comparePeers, the bytes that wait for
// each peer, and the number of all. If the node does not answer it returns only connected peers.
func listPeers(
	ctx context.Context, node Node, connected []supervisor.PeerInfo,
) (list []*output.Peer, queuedBytes map[string]int, all int) {
	peers, err := node.Peers(ctx)
	if err != nil {
		peers = connected
	}
	kept, err := node.KeptAddresses(ctx)
	if err != nil {
		kept = nil
	}
	queuedBytes = make(map[string]int)
	for _, p := range peers {
		if p.QueuedSize > 0 {
			queuedBytes[p.ID] = p.QueuedSize
		}
	}
	entries := output.NewPeers(peers, kept)
	for i := range entries {
		list = append(list, &entries[i])
	}
	slices.SortFunc(list, comparePeers)
	return list[:min(len(list), maxPeers)], queuedBytes, len(list)
}

// measure adds round trips and queue lengths of the connected peers.
func (r *row) measure(connected []supervisor.PeerInfo) {
	var trips []float64
	for _, p := range connected {
		r[colQueued] += float64(p.Queued)
		if p.RTT > 0 {
			trips = append(trips, output.Milliseconds(p.RTT))
		}
	}
	if len(trips) == 0 {
		return
	}
	slices.Sort(trips)
	r[colRTTMin], r[colRTTMedian], r[colRTTMax] = trips[0], trips[len(trips)/2], trips[len(trips)-1]
}
