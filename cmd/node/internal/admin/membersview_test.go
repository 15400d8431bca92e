package admin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// trips returns the numbers of a member with this median round trip and number of peers.
func trips(median float64, peers int) memberNumbers {
	n := memberNumbers{Peers: peers}
	n.Row[colRTTMedian], n.Row[colRTTMin], n.Row[colRTTMax] = median, median/2, median*2
	return n
}

func TestTotalsTakeTheMiddleRoundTrip(t *testing.T) {
	for name, c := range map[string]struct {
		list           []memberNumbers
		low, mid, high float64
	}{
		"none":            {nil, 0, 0, 0},
		"not measured":    {[]memberNumbers{trips(0, 3), trips(0, 1)}, 0, 0, 0},
		"one measured":    {[]memberNumbers{trips(0, 9), trips(4, 1)}, 2, 4, 8},
		"most peers":      {[]memberNumbers{trips(1, 2), trips(6, 7), trips(9, 2)}, 0.5, 6, 18},
		"slow but few":    {[]memberNumbers{trips(100, 1), trips(2, 50)}, 1, 2, 200},
		"equally divided": {[]memberNumbers{trips(4, 5), trips(2, 5)}, 1, 2, 8},
	} {
		got := sum(c.list).Row
		if got[colRTTMin] != c.low || got[colRTTMedian] != c.mid || got[colRTTMax] != c.high {
			t.Errorf("%s: %v %v %v, want %v %v %v", name, got[colRTTMin], got[colRTTMedian], got[colRTTMax],
				c.low, c.mid, c.high)
		}
	}
}

// TestPeersOfMembersAppearOnce merges lists in which peers and addresses appear several times.
func TestPeersOfMembersAppearOnce(t *testing.T) {
	row := func(from, id, address string, state output.State, queued int) memberRow {
		p := &output.Peer{ID: id, Address: address, State: state, Member: from, Connected: state == output.StateConnected}
		p.Verified = p.Connected
		return memberRow{output.MemberPeer{Peer: p, From: from}, queued}
	}
	list, queued, all := mergeRows([]memberRow{
		row("a", "p1", "", output.StateConnected, 5), // moved from a to b
		row("b", "p1", "", output.StateConnected, 3),
		row("a", "p2", "", output.StateConnected, 1), // known at b
		row("b", "p2", "", output.StateAway, 0),
		row("a", "", "h:1", output.StateAway, 0), // dialled by b
		row("b", "", "h:1", output.StateWaiting, 0),
	}, func(string) string { return "b" })
	var got []string
	for _, p := range list {
		got = append(got, p.ID+p.Address+" "+p.Member)
	}
	if text := strings.Join(got, ", "); text != "p1 b, p2 a, h:1 b" || all != 3 || queued["p1"] != 3 || queued["p2"] != 1 {
		t.Errorf("%s, %d, queued %v", text, all, queued)
	}
	var many []memberRow
	for i := range 3 * maxPeers {
		many = append(many, row("a", fmt.Sprint(i), "", output.StateAway, 0))
	}
	many = append(many, row("b", "z", "", output.StateConnected, 0))
	if list, _, all = mergeRows(many, func(string) string { return "" }); len(list) != maxPeers || all != 3*maxPeers+1 ||
		list[0].ID != "z" {
		t.Errorf("%d of %d peers, the first is %s", len(list), all, list[0].ID)
	}
}

// TestViewOfADrainingMemberSaysSo requires another state than that of a node that does not listen.
func TestViewOfADrainingMemberSaysSo(t *testing.T) {
	for state, want := range map[string]string{"alive": "dialling", "draining": "draining"} {
		v := &view{State: "dialling"}
		newPoller(nil).view([]output.Member{{Name: "a", Self: true, State: state}}, v, 0)
		if v.State != want {
			t.Errorf("%s: %s, want %s", state, v.State, want)
		}
	}
}
