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
	State       string            `json:"state"` // accepting, dialling (does not listen), draining or stopping
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
	Members     *membersView      `json:"members,omitempty"` // absent: the node is alone
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

// maxSorted is the largest number of known peers of which the view lists those that were seen last. Of more it lists
// the first by ID.
const maxSorted = 10_000

// listPeers returns the first maxPeers peers and kept addresses in the order of comparePeers, the bytes that wait for
// each peer, and the number of all that it has read or that are connected. It reads in pages: the connected peers, and
// the others if there are fewer than maxPeers.
func listPeers(
	ctx context.Context, node Node, connected int,
) (list []*output.Peer, queuedBytes map[string]int, all int) {
	queuedBytes = make(map[string]int)
	q := supervisor.PeerQuery{Connected: connected >= maxPeers}
	for {
		page, err := node.PeerPage(ctx, q)
		if err != nil {
			break
		}
		for _, p := range page.Peers {
			if p.QueuedSize > 0 {
				queuedBytes[p.ID] = p.QueuedSize
			}
		}
		entries := output.NewPeers(page.Peers, page.Dials)
		all += len(entries)
		for i := range entries {
			list = append(list, &entries[i])
		}
		slices.SortFunc(list, comparePeers)
		list = list[:min(len(list), maxPeers)]
		if q.After = page.Next; q.After == "" || all >= maxSorted || q.Connected {
			break
		}
	}
	return list, queuedBytes, max(all, connected)
}

// measure adds round trips and queue lengths of the connected peers.
func (r *row) measure(load output.Load) {
	r[colQueued] = float64(load.Queued)
	r[colRTTMin], r[colRTTMedian], r[colRTTMax] = load.MinRTTMs, load.MedianRTTMs, load.MaxRTTMs
}
