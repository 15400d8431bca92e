package toxiproxy

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// toxics is a goroutine that toxiproxy may leave when a connection ends while a toxic is added.
var toxics = goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m, toxics)) }
