package control

import (
	"context"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

func (h *Handler) status(ctx context.Context) (output.Status, error) {
	status, err := h.node.Status(ctx)
	return output.NewStatus(status, h.node.Version()), err
}

// peers lists the known and connected peers by ID.
func (h *Handler) peers(ctx context.Context) ([]output.Peer, error) {
	list, err := h.known(ctx)
	known := make([]output.Peer, 0, len(list))
	for _, p := range list {
		if p.ID != "" {
			known = append(known, p)
		}
	}
	return known, err
}

// known lists the peers by ID, then the addresses without a known peer by address.
func (h *Handler) known(ctx context.Context) ([]output.Peer, error) {
	peers, err := h.node.Peers(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := h.node.KeptAddresses(ctx)
	if err != nil {
		return nil, err
	}
	return output.NewPeers(peers, kept), nil
}
