package supervisor

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
)

// ParsePinnedAddress is ParseAddress for an address that may end in #ID, a pin: the node ID of the only peer that may
// answer there. It returns the URL without the pin, and the ID, or "" without a pin.
func ParsePinnedAddress(address, path string) (url, id string, err error) {
	plain, id, pinned := strings.Cut(address, "#")
	if pinned && !crypto.ValidNodeID(id) {
		return "", "", fmt.Errorf("%q is not a pinned address: a node ID must follow #, 32 characters from 0 to f", address)
	}
	url, err = ParseAddress(plain, path)
	return url, id, err
}

// unpinned returns an address without its pin.
func unpinned(address string) string {
	plain, _, _ := strings.Cut(address, "#")
	return plain
}

// pinsOf returns the node IDs that configured addresses pin.
func pinsOf(addresses []string) map[string]bool {
	pins := make(map[string]bool)
	for _, address := range addresses {
		if _, id, pinned := strings.Cut(address, "#"); pinned {
			pins[id] = true
		}
	}
	return pins
}

// dialConfigured dials an address of the configuration and keeps its peer connected.
func (r *registry) dialConfigured(ctx actor.Context, address string) {
	url, id, err := ParsePinnedAddress(address, r.cfg.WSPath)
	if err != nil {
		return // Validate reports it
	}
	t := r.targetFor(unpinned(address), url, id, true)
	t.configured = true
	if id != "" {
		r.setTargetPeers(t, id, t.peer)
	}
	r.advance(ctx, t, dialWanted, nil)
}
