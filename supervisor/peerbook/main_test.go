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
	if path := os.Getenv(archiveWriterEnv); path != "" {
		moveForEver(path)
	}
	goleak.VerifyTestMain(m)
}
