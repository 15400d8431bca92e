package admin

import (
	"encoding/json"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// peerChange is the JSON of one peer in a tick: all of it, or only the parts that changed since the tick before.
type peerChange struct {
	Key     string          `json:"k"`           // peerKey
	Facts   json.RawMessage `json:"f,omitempty"` // peerFacts
	Numbers json.RawMessage `json:"n,omitempty"` // peerNumbers
	Counts  json.RawMessage `json:"c,omitempty"` // connectionCounts of each connection; null: those of the peer
}

// peerKey returns the key of a peer: its ID, or its address if no peer has answered there.
func peerKey(p *output.Peer) string {
	if p.ID != "" {
		return p.ID
	}
	return "@" + name(p.Address)
}

// peerTable holds the peers of the last view, to find the changes of the next. Not safe for concurrent use.
type peerTable struct{ rows map[string]peerChange }

// update replaces the table by list. It returns all peers, those with changes, and the keys that are gone; none of them
// is modified later.
func (t *peerTable) update(list []*output.Peer, queuedBytes map[string]int) (all, changed []peerChange, gone []string) {
	rows := make(map[string]peerChange, len(list))
	all, changed, gone = []peerChange{}, []peerChange{}, []string{} // null in JSON otherwise
	for _, p := range list {
		row := peerChange{
			Key:   peerKey(p),
			Facts: encode(factsOf(p)), Numbers: encode(numbersOf(p, queuedBytes[p.ID])), Counts: encode(countsOf(p)),
		}
		if _, twice := rows[row.Key]; twice {
			continue
		}
		rows[row.Key] = row
		all = append(all, row)
		if difference, differs := row.since(t.rows[row.Key]); differs {
			changed = append(changed, difference)
		}
	}
	for key := range t.rows {
		if _, here := rows[key]; !here {
			gone = append(gone, key)
		}
	}
	t.rows = rows
	return all, changed, gone
}

// since returns the parts of c that differ from before, and reports whether there are any.
func (c peerChange) since(before peerChange) (difference peerChange, differs bool) {
	difference.Key = c.Key
	for _, part := range []struct {
		now, then json.RawMessage
		into      *json.RawMessage
	}{
		{c.Facts, before.Facts, &difference.Facts},
		{c.Numbers, before.Numbers, &difference.Numbers},
		{c.Counts, before.Counts, &difference.Counts},
	} {
		if string(part.now) != string(part.then) {
			*part.into, differs = part.now, true
		}
	}
	return difference, differs
}

// reset forgets the table.
func (t *peerTable) reset() { t.rows = nil }
