package control

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

func TestKnownListsPeersAndAddresses(t *testing.T) {
	client := serve(t, t.TempDir(), &fakeNode{})
	for verb, want := range map[string]int{"known": 2, "peers": 1} {
		raw, err := client.Get(t.Context(), verb)
		var list []output.Peer
		if err == nil {
			err = json.Unmarshal(raw, &list)
		}
		if err != nil || len(list) != want || list[0].ID != bobID {
			t.Fatalf("%s: %s, %v", verb, raw, err)
		}
		if want == 2 && (list[1].ID != "" || list[1].Address != "host:2") {
			t.Errorf("%s: %s", verb, raw)
		}
		if strings.Count(string(raw), "nextDialAt") != 0 || strings.Count(string(raw), `"lastError":"no route"`) != want-1 {
			t.Errorf("%s, keys: %s", verb, raw)
		}
	}
}
