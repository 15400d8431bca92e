package peerbook

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(bookWriterEnv); path != "" {
		writeBookForEver(path)
	}
	goleak.VerifyTestMain(m)
}
