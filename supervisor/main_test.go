package supervisor

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("P2P_BOOK_WRITER"); path != "" {
		_ = path
	}
	goleak.VerifyTestMain(m)
}
