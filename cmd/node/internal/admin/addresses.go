package admin

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// addressMetrics describe the addresses that the node keeps connected. The operator gives them, so that peers cannot
// cause series.
type addressMetrics struct{ connected, attempts, next *prometheus.Desc }

func newAddressMetrics() addressMetrics {
	gauge := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("p2p_address_"+name, help, []string{"address"}, nil)
	}
	return addressMetrics{
		connected: gauge("connected", "1 while the peer of a kept address is connected, else 0."),
		attempts:  gauge("dial_attempts", "Failed dials of a kept address in a row; 0 while it is connected."),
		next:      gauge("next_dial_seconds", "Time until the next dial of a kept address; 0 if none is scheduled."),
	}
}

func (m *addressMetrics) describe(out chan<- *prometheus.Desc) {
	out <- m.connected
	out <- m.attempts
	out <- m.next
}

// collect adds one series of each metric for each kept address.
func (m *addressMetrics) collect(ctx context.Context, node Node, now time.Time, gauge gaugeFunc) {
	kept, err := node.KeptAddresses(ctx)
	if err != nil {
		return
	}
	for _, d := range kept {
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
}
