package natsbus

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/Snider/go-p2p/supervisor/cluster"
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
			a, b := w.dial(url), w.dial(url)
			awaitProof(t, a, b, "p2p.x.a")
			awaitProof(t, b, a, "p2p.x.b")
			check(t, a, b)
		})
	}
}

// TestMaxBodyIsCarried sends the longest body over both kinds of buses.
func TestMaxBodyIsCarried(t *testing.T) {
	for name, open := range map[string]func(w *world) (from, to *member){
		"embedded": func(w *world) (from, to *member) {
			o := w.options()
			o.MaxBody = 3 << 20
			from = w.serve(o)
			o = w.options(from.address)
			o.MaxBody = 3 << 20
			return from, w.serve(o)
		},
		"external": func(w *world) (from, to *member) {
			url := external(w.t, freePort(w.t)).ClientURL()
			return w.dial(url), w.dial(url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := open(newWorld(t))
			arrived := make(chan int, 1)
			cancel, err := to.Subscribe("long", func(d cluster.Delivery) {
				if len(d.Body) > 0 {
					arrived <- len(d.Body)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer cancel()
			awaitProof(t, from, to, "long") // the subscription is noticed a moment later
			want := from.MaxBody()
			if want < 1<<20-64 {
				t.Errorf("%d bytes at most", want)
			}
			if err := from.Publish("long", make([]byte, want)); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-arrived:
				if got != want {
					t.Errorf("%d bytes arrived, want %d", got, want)
				}
			case <-time.After(patience):
				t.Error("the longest body does not arrive")
			}
		})
	}
}
