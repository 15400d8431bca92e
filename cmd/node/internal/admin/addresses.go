package admin

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// addressMetrics describe the addresses that the node keeps connected. The operator gives them, so that peers cannot
// cause series.
type addressMetrics struct{ states, connected, attempts, next *prometheus.Desc }

func newAddressMetrics() addressMetrics {
	gauge := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("p2p_address_"+name, help, []string{"address"}, nil)
	}
	states := prometheus.NewDesc("p2p_addresses", "Kept addresses, by state.", []string{"state"}, nil)
	return addressMetrics{
		states:    states,
		connected: gauge("connected", "1 while the peer of a kept address is connected, else 0."),
		attempts:  gauge("dial_attempts", "Failed dials of a kept address in a row; 0 while it is connected."),
		next:      gauge("next_dial_seconds", "Time until the next dial of a kept address; 0 if none is scheduled."),
	}
}

func (m *addressMetrics) describe(out chan<- *prometheus.Desc) {
	out <- m.states
	out <- m.connected
	out <- m.attempts
	out <- m.next
}

// collect adds the number of kept addresses in each state, and one series of each other metric for each kept address.
func (m *addressMetrics) collect(ctx context.Context, node Node, now time.Time, gauge gaugeFunc) {
	kept, err := node.KeptAddresses(ctx)
	if err != nil {
		return
	}
	states := map[output.State]int{ // a state without an address has the value 0
		output.StateConnected: 0, output.StateDialling: 0, output.StateWaiting: 0, output.StateAway: 0,
	}
	for _, d := range kept {
		states[output.AddressState(d)]++
		connected, attempts, next := 0.0, float64(d.Failures), 0.0
		if d.Connected {
			connected, attempts = 1, 0
		}
		if !d.NextDial.IsZero() {
			next = max(0, d.NextDial.Sub(now).Seconds())
		}
		address := label(d.Address)
		gauge(m.connected, connected, address)
		gauge(m.attempts, attempts, address)
		gauge(m.next, next, address)
	}
	for state, count := range states {
		gauge(m.states, float64(count), string(state))
	}
}
