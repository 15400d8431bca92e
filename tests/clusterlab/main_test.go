package clusterlab

import (
	"flag"
	"os"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

var (
	lab   = flag.Bool("lab", false, "also run the rows that take longer than a minute")
	crowd = flag.Int("peers", 1000, "peers of the rows with many")
	whole = flag.Bool("nodes", false, "these peers are complete nodes: they cost more than the members")
)

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m)) }

// inLab skips a long row without the flag.
func inLab(t *testing.T) {
	t.Helper()
	if !*lab {
		t.Skip("takes longer than a minute: make lab")
	}
}
