package peerbook

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/Snider/go-p2p/crypto"
)

// maxEntryJSON is more than any entry within its limits takes on disk, in bytes.
const maxEntryJSON = 8 << 10

// loadPeer takes over one entry. One that an earlier release wrote without limits is cut; a larger one of a peer that may
// be evicted is left out without decoding it, so that the start does not take longer for a book that strangers filled.
func (r *Book) loadPeer(k, v []byte) error {
	if len(k) > maxPeerID || len(v) > maxEntryJSON && !r.keepsJSON(v) {
		r.reshaped = append(r.reshaped, string(k))
		return nil
	}
	var p Peer
	if err := json.Unmarshal(v, &p); err != nil || p.ID != string(k) {
		return fmt.Errorf("the entry of peer %.64q cannot be read", k)
	}
	if p.cut() {
		r.reshaped = append(r.reshaped, p.ID)
	}
	r.peers[p.ID] = p
	r.bytes += p.bytes()
	return nil
}

// keepsJSON is keeps for an entry that is not decoded. The allowlist is loaded before the peers, in the order of the
// buckets' names. A peer's texts cannot imitate a key: inside a JSON string the quotes are escaped.
func (r *Book) keepsJSON(v []byte) bool {
	if bytes.Contains(v, []byte(`"persistent":true`)) {
		return true
	}
	_, after, _ := bytes.Cut(v, []byte(`"publicKey":"`))
	key, err := crypto.ParsePublicKey(string(after[:min(len(after), maxPeerKey)]))
	_, listed := r.allowed[key]
	return err == nil && listed
}

// OverLimits returns how many entries of the file were cut or left out when it was opened.
func (r *Book) OverLimits() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.overLimits
}

// loaded brings a book that was just loaded within its limits and has the disk follow.
func (r *Book) loaded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.reshaped {
		r.touch(id)
	}
	before := len(r.peers)
	r.makeRoom(0)
	r.overLimits = len(r.reshaped) + before - len(r.peers)
	r.reshaped = nil
}
