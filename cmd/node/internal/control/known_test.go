package control

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

func TestMergeGivesEachPeerItsDial(t *testing.T) {
	next := time.Unix(1_700_000_000, 0).UTC()
	info := func(id, address string) supervisor.PeerInfo { return supervisor.PeerInfo{ID: id, Address: address} }
	peer := func(id, address string) output.Peer { return output.Peer{ID: id, Address: address} }
	dial := func(address, peer string, failures int, text string, next time.Time) supervisor.DialInfo {
		d := supervisor.DialInfo{Address: address, Peer: peer, Failures: failures, NextDial: next}
		if text != "" {
			d.LastError = errors.New(text)
		}
		return d
	}
	kept := func(id, address string) output.Peer {
		return output.Peer{ID: id, Address: address, Persistent: true}
	}
	tests := map[string]struct {
		peers []supervisor.PeerInfo
		dials []supervisor.DialInfo
		want  []Known
	}{
		"nothing": {want: []Known{}},
		"no dial": {peers: []supervisor.PeerInfo{info("1", "a:1")}, want: []Known{{Peer: peer("1", "a:1")}}},
		"known peer": {
			[]supervisor.PeerInfo{info("1", "a:1")},
			[]supervisor.DialInfo{dial("a:1", "1", 3, "gone", next)},
			[]Known{{peer("1", "a:1"), 3, "gone", next}},
		},
		"own address": {
			[]supervisor.PeerInfo{info("1", "b:1")},
			[]supervisor.DialInfo{
				dial("a:1", "1", 1, "x", next), dial("b:1", "1", 2, "y", next), dial("c:1", "1", 3, "z", next),
			},
			[]Known{{peer("1", "b:1"), 2, "y", next}},
		},
		"no answer": {
			nil,
			[]supervisor.DialInfo{dial("a:1", "", 2, "x", next), dial("b:1", "", 0, "", time.Time{})},
			[]Known{{kept("", "a:1"), 2, "x", next}, {kept("", "b:1"), 0, "", time.Time{}}},
		},
		"pinned, new": {
			nil,
			[]supervisor.DialInfo{dial("a:1", "1", 2, "x", next)},
			[]Known{{kept("1", "a:1"), 2, "x", next}},
		},
		"another peer": {
			[]supervisor.PeerInfo{info("1", "a:1")},
			[]supervisor.DialInfo{dial("b:1", "", 2, "x", next)},
			[]Known{{Peer: peer("1", "a:1")}, {kept("", "b:1"), 2, "x", next}},
		},
	}
	for name, tt := range tests {
		if got := merge(tt.peers, tt.dials); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestKnownListsPeersAndAddresses(t *testing.T) {
	raw, err := serve(t, t.TempDir(), &fakeNode{}).Get(t.Context(), "known")
	var list []Known
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil || len(list) != 2 || list[0].ID != bobID || list[1].ID != "" || list[1].Address != "host:2" {
		t.Errorf("%s, %v", raw, err)
	}
	if strings.Count(string(raw), "nextDialAt") != 0 || strings.Count(string(raw), `"lastError":"no route"`) != 1 {
		t.Errorf("keys: %s", raw)
	}
}
