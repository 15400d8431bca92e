package control

import (
	"context"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// Known is a known peer, or a configured address at which no peer has answered yet: then ID is empty. The last three
// fields describe the dials of a peer that is kept connected but has no verified connection.
type Known struct {
	output.Peer

	Attempts   int       `json:"attempts"`            // failed dials in a row
	LastError  string    `json:"lastError"`           // of the last dial; empty if none failed
	NextDialAt time.Time `json:"nextDialAt,omitzero"` // absent if no dial is scheduled
}

func (h *Handler) status(ctx context.Context) (output.Status, error) {
	status, err := h.node.Status(ctx)
	return output.NewStatus(status), err
}

func (h *Handler) peers(ctx context.Context) ([]output.Peer, error) {
	peers, err := h.node.Peers(ctx)
	return output.NewPeers(peers), err
}

// known lists the peers by ID, then the addresses without a known peer by address.
func (h *Handler) known(ctx context.Context) ([]Known, error) {
	peers, err := h.node.Peers(ctx)
	if err != nil {
		return nil, err
	}
	dials, err := h.node.Dials(ctx)
	if err != nil {
		return nil, err
	}
	return merge(peers, dials), nil
}

// merge adds to each peer the dial of its own address, or else of another address of the peer.
func merge(peers []supervisor.PeerInfo, dials []supervisor.DialInfo) []Known {
	list := make([]Known, 0, len(peers)+len(dials))
	at := make(map[string]int, len(peers))
	for i, p := range peers {
		at[p.ID] = i
		list = append(list, Known{Peer: output.NewPeer(p)})
	}
	merged := make(map[string]bool)
	for _, d := range dials {
		i, known := at[d.Peer]
		switch {
		case !known:
			i = len(list)
			list = append(list, Known{Peer: output.Peer{ID: d.Peer, Address: d.Address, Persistent: true}})
		case merged[d.Peer] && list[i].Address != d.Address:
			continue
		}
		merged[d.Peer] = known
		list[i].addDial(d)
	}
	return list
}

func (k *Known) addDial(d supervisor.DialInfo) {
	k.Attempts = d.Failures
	k.LastError, k.NextDialAt = "", time.Time{}
	if d.LastError != nil {
		k.LastError = output.ErrorText(d.LastError)
	}
	if !d.NextDial.IsZero() {
		k.NextDialAt = d.NextDial.UTC()
	}
}
