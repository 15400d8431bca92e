package blackbox

import (
	"strings"
	"testing"
)

// `node peers` lists a configured address where no peer answers, with the error of the last dial.
func TestPeersNameTheReasonOfAFailedDial(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:1" // a port that no test listens on
	n := start(t, "--peer", address)
	failed := n.Await("dial_failed", "address", address)

	var list []map[string]any
	n.json(&list, "peers")
	if len(list) != 1 {
		n.Fatalf("peers lists %v, want the address alone", list)
	}
	row := list[0]
	if row["id"] != "" || row["address"] != address || row["connected"] != false || row["persistent"] != true {
		t.Errorf("the address is listed as %v", row)
	}
	if attempts, _ := row["attempts"].(float64); attempts < 1 || row["lastError"] != failed.Str("error") {
		t.Errorf("attempts %v, lastError %v; want 1 or more, %q", row["attempts"], row["lastError"], failed.Str("error"))
	}
	if out := n.ok("peers"); !strings.Contains(out, address) || !strings.Contains(out, failed.Str("error")) {
		t.Errorf("peers prints %q", out)
	}
}
