package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// The most peers and connections that a view lists.
const (
	maxPeers = 200
	maxTree  = 100
)

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
	Peers       []peerView        `json:"peers"` // at most maxPeers, ordered by comparePeers
	Tree        treeView          `json:"tree"`
}

type peerView struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Address    string  `json:"address"`
	Role       string  `json:"role"`
	Direction  string  `json:"direction"`
	Connected  bool    `json:"connected"`
	Verified   bool    `json:"verified"`
	Persistent bool    `json:"persistent"`
	Session    string  `json:"session"` // session/1 or smsg; empty if not connected
	Pinned     bool    `json:"pinned"`
	RTT        float64 `json:"rtt"` // milliseconds; 0: not measured
	Queued     int     `json:"queued"`
	QueuedSize int     `json:"queuedBytes"`
	Seen       int64   `json:"seen"`
}

type treeView struct {
	Registry    string      `json:"registry"`
	Restarts    uint64      `json:"restarts"`
	Stopped     uint64      `json:"stopped"`
	Total       int         `json:"total"`
	Connections []actorView `json:"connections"`
}

type actorView struct {
	Actor     string `json:"actor"`
	Peer      string `json:"peer"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	State     string `json:"state"`
	Route     bool   `json:"route"`
	Since     int64  `json:"since"`
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

// addPeers adds the first maxPeers peers, or only connected ones if the node does not answer.
func (v *view) addPeers(ctx context.Context, node Node, connected []supervisor.PeerInfo) {
	peers, err := node.Peers(ctx)
	if err != nil {
		peers = connected
	}
	slices.SortFunc(peers, comparePeers)
	v.Peers = make([]peerView, 0, min(len(peers), maxPeers))
	for _, p := range peers[:min(len(peers), maxPeers)] {
		v.Peers = append(v.Peers, newPeerView(p))
	}
}

func newPeerView(p supervisor.PeerInfo) peerView {
	shown := output.NewPeer(p)
	return peerView{
		ID: p.ID, Name: name(p.Name), Address: name(p.Address), Role: name(string(p.Role)),
		Direction: shown.Direction, Connected: p.Connected, Verified: p.Verified, Persistent: p.Persistent,
		Session: shown.Session, Pinned: p.Pinned,
		RTT: shown.RTTMs, Queued: p.Queued, QueuedSize: p.QueuedSize, Seen: p.LastSeen.UnixMilli(),
	}
}

// comparePeers orders peers for display: verified connections, then persistent peers, then unverified connections, then
// the rest by the time last seen. An attacker with many identities therefore cannot displace the operator's peers.
func comparePeers(a, b supervisor.PeerInfo) int {
	rank := func(p supervisor.PeerInfo) int {
		switch {
		case p.Connected && p.Verified:
			return 0
		case p.Persistent:
			return 1
		case p.Connected:
			return 2
		default:
			return 3
		}
	}
	if order := cmp.Compare(rank(a), rank(b)); order != 0 || rank(a) < 3 {
		return cmp.Or(order, cmp.Compare(a.ID, b.ID))
	}
	return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
}

func (v *view) addTree(ctx context.Context, node Node) {
	tree, err := node.Tree(ctx, maxTree)
	if err != nil {
		return
	}
	v.Tree = treeView{
		Registry: tree.Registry, Restarts: tree.Restarts, Stopped: tree.Stopped, Total: tree.Total,
		Connections: []actorView{},
	}
	for _, c := range tree.Connections {
		v.Tree.Connections = append(v.Tree.Connections, actorView{
			Actor: c.Actor, Peer: c.Peer, Name: name(c.Name), Direction: c.Direction.String(),
			State: string(c.State), Route: c.Route, Since: c.Since.UnixMilli(),
		})
	}
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
