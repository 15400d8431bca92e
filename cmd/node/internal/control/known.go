package control

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// maxPage is the largest number of entries in a page of peers.
const maxPage = 1000

// addressMark begins the cursor of an address without a known peer. It sorts such entries behind the node IDs, and
// needs no escape in a URL.
const addressMark = "~"

func (h *Handler) status(ctx context.Context, _ url.Values) (output.Status, error) {
	status, err := h.node.Status(ctx)
	return output.NewStatus(status, h.node.Version()), err
}

// peers returns a page of the known peers by ID, and behind them the addresses without a known peer.
func (h *Handler) peers(ctx context.Context, query url.Values) (PeerPage, error) {
	peers, err := h.node.Peers(ctx)
	if err != nil {
		return PeerPage{}, err
	}
	kept, err := h.node.KeptAddresses(ctx)
	if err != nil {
		return PeerPage{}, err
	}
	list := output.NewPeers(peers, kept)
	if query.Get("connected") == "true" {
		list = slices.DeleteFunc(list, func(p output.Peer) bool { return p.State != output.StateConnected })
	}
	limit := maxPage
	if text := query.Get("limit"); text != "" {
		limit, err = strconv.Atoi(text) // cannot fail: its parameter is a number
	}
	return page(list, query.Get("after"), limit), err
}

// page returns at most limit entries behind a cursor, in the order of the cursors. An entry that exists from the first
// page to the last is on exactly one page, also if others are added or removed between two pages.
func page(list []output.Peer, after string, limit int) PeerPage {
	slices.SortFunc(list, func(a, b output.Peer) int { return strings.Compare(cursor(a), cursor(b)) })
	start, found := slices.BinarySearchFunc(list, after, func(p output.Peer, c string) int {
		return strings.Compare(cursor(p), c)
	})
	if found {
		start++
	}
	list = list[start:]
	if len(list) <= limit {
		return PeerPage{Peers: list}
	}
	return PeerPage{Peers: list[:limit], Next: cursor(list[limit-1])}
}

func cursor(p output.Peer) string {
	if p.ID != "" {
		return p.ID
	}
	return addressMark + base64.RawURLEncoding.EncodeToString([]byte(p.Address))
}
