package output

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func TestNewPeersGivesEachPeerItsDial(t *testing.T) {
	next := time.Unix(1_700_000_000, 0).UTC()
	info := func(id, address string) supervisor.PeerInfo { return supervisor.PeerInfo{ID: id, Address: address} }
	up := info("1", "a:1")
	up.Connected, up.Verified = true, true
	dial := func(address, peer string, failures int, text string, next time.Time) supervisor.DialInfo {
		d := supervisor.DialInfo{Address: address, Peer: peer, Failures: failures, NextDial: next}
		if text != "" {
			d.LastError = errors.New(text)
		}
		return d
	}
	dialling := supervisor.DialInfo{Address: "a:1", Dialling: true}
	connected := supervisor.DialInfo{Address: "b:1", Peer: "1", Connected: true, Failures: 9}
	// entry returns the expected state, addresses and dial of an entry.
	entry := func(
		p supervisor.PeerInfo, state State, attempts int, text string, next time.Time, addresses ...string,
	) Peer {
		peer := NewPeer(p)
		peer.State, peer.Attempts, peer.LastError = state, attempts, text
		if !next.IsZero() {
			peer.NextDialAt = &next
		}
		peer.Addresses = append(peer.Addresses, addresses...)
		return peer
	}
	none := time.Time{}
	kept := func(id, address string) supervisor.PeerInfo {
		return supervisor.PeerInfo{ID: id, Address: address, Persistent: true}
	}
	tests := map[string]struct {
		peers []supervisor.PeerInfo
		dials []supervisor.DialInfo
		want  []Peer
	}{
		"nothing": {want: []Peer{}},
		"no dial": {
			peers: []supervisor.PeerInfo{info("1", "a:1")},
			want:  []Peer{entry(info("1", "a:1"), StateAway, 0, "", none)},
		},
		"known peer": {
			[]supervisor.PeerInfo{info("1", "a:1")},
			[]supervisor.DialInfo{dial("a:1", "1", 3, "gone", next)},
			[]Peer{entry(info("1", "a:1"), StateWaiting, 3, "gone", next, "a:1")},
		},
		"own address": {
			[]supervisor.PeerInfo{info("1", "b:1")},
			[]supervisor.DialInfo{
				dial("a:1", "1", 1, "x", next), dial("b:1", "1", 2, "y", next), dial("c:1", "1", 3, "z", next),
			},
			[]Peer{entry(info("1", "b:1"), StateWaiting, 2, "y", next, "a:1", "b:1", "c:1")},
		},
		"connected": {
			[]supervisor.PeerInfo{up},
			[]supervisor.DialInfo{connected},
			[]Peer{entry(up, StateConnected, 0, "", none, "b:1")},
		},
		"no answer": {
			nil,
			[]supervisor.DialInfo{dial("a:1", "", 2, "x", next), dial("b:1", "", 0, "", none)},
			[]Peer{
				entry(kept("", "a:1"), StateWaiting, 2, "x", next, "a:1"), entry(kept("", "b:1"), StateAway, 0, "", none, "b:1"),
			},
		},
		"dialling": {
			nil,
			[]supervisor.DialInfo{dialling},
			[]Peer{entry(kept("", "a:1"), StateDialling, 0, "", none, "a:1")},
		},
		"pinned twice, new": {
			nil,
			[]supervisor.DialInfo{dial("a:1", "1", 2, "x", next), dial("b:1", "1", 3, "y", next)},
			[]Peer{entry(kept("1", "a:1"), StateWaiting, 2, "x", next, "a:1", "b:1")},
		},
		"another peer": {
			[]supervisor.PeerInfo{info("1", "a:1")},
			[]supervisor.DialInfo{dial("b:1", "", 2, "x", next)},
			[]Peer{
				entry(info("1", "a:1"), StateAway, 0, "", none), entry(kept("", "b:1"), StateWaiting, 2, "x", next, "b:1"),
			},
		},
	}
	for name, tt := range tests {
		if got := NewPeers(tt.peers, tt.dials); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
