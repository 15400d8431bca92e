package toxiproxy

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := leaks(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// toxics leaves out what toxiproxy itself may leave behind when a connection ends while a toxic is put on.
var toxics = goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")

// leaks looks for goroutines that are left. The actor library's dead-letter throttle lives a second longer than its
// actors, which is longer than goleak waits.
func leaks() (err error) {
	for range 5 {
		if err = goleak.Find(toxics); err == nil {
			return nil
		}
	}
	return err
}
