package hostile

import (
	"os"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

const (
	patience = nodetest.Patience
	// fullRun is the environment variable that asks for the long runs.
	fullRun = "HOSTILE_FULL"
)

// full reports whether the long runs are wanted.
func full() bool { return os.Getenv(fullRun) != "" }

func TestMain(m *testing.M) { os.Exit(nodetest.Main(m)) }
