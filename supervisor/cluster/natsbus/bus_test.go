package natsbus

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/Snider/go-p2p/tests/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbeddedBusKeepsItsPromises(t *testing.T) {
	for name, check := range bustest.Checks {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.serve(w.options())
			b := w.serve(w.options(a.address))
			check(t, a, b)
		})
	}
}

func TestExternalBusKeepsItsPromises(t *testing.T) {
	for name, check := range bustest.Checks {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			url := external(t, -1).ClientURL()
			check(t, w.dial(url), w.dial(url))
		})
	}
}
