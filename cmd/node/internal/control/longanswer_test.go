package control

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// claimedNode has a page of peers with the longest names, each claimed on many connections.
type claimedNode struct{ busyNode }

func (*claimedNode) PeerPage(_ context.Context, q supervisor.PeerQuery) (page supervisor.PeerPage, err error) {
	long := strings.Repeat("\"", crypto.MaxNameLength)
	for i := range q.Limit {
		info := supervisor.PeerInfo{
			ID: fmt.Sprintf("%032x", i), Name: long, Agent: long[:64], PublicKey: strings.Repeat("k", 44), Connected: true,
			Verified: true, Address: "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", Connection: 1,
		}
		for n := range 100 {
			info.Connections = append(info.Connections, supervisor.ConnectionInfo{
				Connection: uint64(n + 1), Address: info.Address, Verified: n == 0,
			})
		}
		page.Peers = append(page.Peers, info)
	}
	return page, nil
}

// Strangers that claim the identities of peers on many connections do not make the answer of a member too long. A
// member sends no answer that is too long, and its peers would be missing at all other members.
func TestClaimsDoNotMakeAnswersTooLong(t *testing.T) {
	h := NewHandler(&claimedNode{}, 1<<20)
	for _, path := range []string{"/v1/peers", overviewPath} {
		answer, err := h.Answer(t.Context(), []byte(fmt.Sprint(path, "?limit=", maxMemberPage)))
		if err != nil || len(answer) > 768<<10 { // of 1 MiB
			t.Errorf("%s: %d bytes, %v", path, len(answer), err)
		}
		if n := strings.Count(string(answer), `"verified":true,"session"`); n != maxMemberPage {
			t.Errorf("%s: %d connections that carry messages, want %d", path, n, maxMemberPage)
		}
	}
}
