package blackbox

import (
	"os"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

const patience = nodetest.Patience

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m)) }
