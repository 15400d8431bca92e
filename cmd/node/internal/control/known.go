package control

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// maxPage is the largest number of entries in a page of peers.
const maxPage = supervisor.MaxPeerPage

// addressMark begins the cursor of an address without a known peer. It needs no escape in a URL.
const addressMark = "~"

// ownStatus returns the state of this process.
func (h *Handler) ownStatus(ctx context.Context) (output.Status, error) {
	status, err := h.node.Status(ctx)
	answer := output.NewStatus(status, h.node.Version())
	if self := h.node.Member(); self != "" {
		answer.State = h.member(self).State
	}
	return answer, err
}

// ownPeers returns a page of the peers of this process by ID, and behind them the addresses without a known peer.
func (h *Handler) ownPeers(ctx context.Context, query url.Values) (PeerPage, error) {
	page, err := h.node.PeerPage(ctx, supervisor.PeerQuery{
		After: decodeCursor(query.Get("after")), Limit: limitOf(query), Connected: query.Get("connected") == "true",
	})
	if err != nil {
		return PeerPage{}, err
	}
	return PeerPage{Peers: h.entries(page), Next: encodeCursor(page.Next)}, nil
}

// limitOf returns the parameter limit, or 0 if it is absent.
func limitOf(query url.Values) int {
	limit, _ := strconv.Atoi(query.Get("limit")) // otherwise its parameter is a number
	return limit
}

// entries formats a page of the peers of this process: by ID, and behind them addresses without a known peer.
func (h *Handler) entries(page supervisor.PeerPage) []output.Peer {
	list := output.NewPeers(page.Peers, page.Dials)
	slices.SortStableFunc(list, func(a, b output.Peer) int {
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a.ID, b.ID))
	})
	for i := range list {
		list[i].SetMember(h.node.Member())
	}
	return list
}

// last returns 1 for an address without a known peer, 0 for others.
func last(p output.Peer) int {
	if p.ID == "" {
		return 1
	}
	return 0
}

// encodeCursor returns a cursor of the node in a form that needs no escape in a URL.
func encodeCursor(cursor string) string {
	if address, isAddress := strings.CutPrefix(cursor, addressMark); isAddress {
		return addressMark + base64.RawURLEncoding.EncodeToString([]byte(address))
	}
	return cursor
}

// decodeCursor undoes encodeCursor. A text that is none is a cursor itself: it only has a place in the order.
func decodeCursor(text string) string {
	if encoded, isAddress := strings.CutPrefix(text, addressMark); isAddress {
		if address, err := base64.RawURLEncoding.DecodeString(encoded); err == nil {
			return addressMark + string(address)
		}
	}
	return text
}
