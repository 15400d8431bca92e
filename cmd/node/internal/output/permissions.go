package output

import (
	"strconv"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Allowlist is the JSON of `node allowlist`.
type Allowlist struct {
	Mode    string      `json:"mode"`    // open or allowlist
	Allowed []ListedKey `json:"allowed"` // never nil
	Revoked []ListedKey `json:"revoked"` // never nil
}

// ListedKey is the JSON of a key of the allowlist or of the revocations.
type ListedKey struct {
	Key  string `json:"key"`
	ID   string `json:"id"`
	Name string `json:"name"` // last seen: quote it before printing; empty: not known
}

// NewAllowlist formats the allowlist and the revocations.
func NewAllowlist(mode supervisor.AuthMode, allowed, revoked []supervisor.ListedKey) Allowlist {
	return Allowlist{Mode: mode.String(), Allowed: listedKeys(allowed), Revoked: listedKeys(revoked)}
}

func listedKeys(keys []supervisor.ListedKey) []ListedKey {
	list := make([]ListedKey, 0, len(keys))
	for _, k := range keys {
		list = append(list, ListedKey{Key: k.Key.String(), ID: k.ID, Name: k.Name})
	}
	return list
}

// Pending is the JSON of one peer in `node pending`.
type Pending struct {
	ID       string    `json:"id"`
	Key      string    `json:"key"`
	Name     string    `json:"name"` // claimed: quote it before printing
	Address  string    `json:"address"`
	FirstAt  time.Time `json:"firstAt"`
	LastAt   time.Time `json:"lastAt"`
	Count    int       `json:"count"`    // attempts
	Unproven bool      `json:"unproven"` // the peer has not proved that it holds the key
}

// NewPending formats the pending peers. It never returns nil.
func NewPending(peers []supervisor.PendingPeer) []Pending {
	list := make([]Pending, 0, len(peers))
	for _, p := range peers {
		list = append(list, Pending{
			ID: p.ID, Key: p.Key.String(), Name: p.Name, Address: p.Address, FirstAt: p.First, LastAt: p.Last,
			Count: p.Count, Unproven: p.Unproven(),
		})
	}
	return list
}

// Quoted returns the first 64 bytes of a text in quotes, for errors.
func Quoted(text string) string { return strconv.Quote(text[:min(len(text), 64)]) }
