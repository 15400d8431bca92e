package peerbook

import (
	"fmt"
	"testing"
)

func TestAnsweredAtKeepsAssignedAddresses(t *testing.T) {
	for name, tt := range map[string]struct {
		persistent bool
		before     string
		others     []string
		at         string
		assigned   bool
		want       string // address and others
	}{
		"first":                          {false, "", nil, "a", false, "a []"},
		"the same":                       {true, "a", nil, "a", false, "a []"},
		"a stranger moved":               {false, "a", nil, "b", false, "b [a]"},
		"persistent through a relay":     {true, "a", nil, "b", false, "a [b]"},
		"persistent through it again":    {true, "a", []string{"b"}, "b", false, "a [b]"},
		"persistent at an assigned one":  {true, "a", []string{"b"}, "c", true, "c [a b]"},
		"persistent back to a known one": {true, "a", []string{"b", "c"}, "c", true, "c [a b]"},
		"persistent without an address":  {true, "", nil, "b", false, "b []"},
		"more than four":                 {true, "a", []string{"b", "c", "d", "e"}, "f", false, "a [f b c d]"},
	} {
		p := Peer{Persistent: tt.persistent, Address: tt.before, Addresses: NewTextList(tt.others...)}
		p.AnsweredAt(tt.at, tt.assigned)
		if got := fmt.Sprint(p.Address, " ", p.Addresses.All()); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
