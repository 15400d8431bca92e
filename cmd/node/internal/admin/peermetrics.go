package admin

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/Snider/go-p2p/supervisor"
)

const maxPeerSeries = 200 // peers with series of their own

// peerMetrics describe single peers.
type peerMetrics struct {
	info, trip, queued, active, ahead *prometheus.Desc
	received, sent, dropped           *prometheus.Desc // counters of the connection that carries the peer's traffic
}

func newPeerMetrics() peerMetrics {
	peer := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("p2p_peer_"+name, help, append([]string{"peer"}, labels...), nil)
	}
	return peerMetrics{
		info:     peer("info", "A connected peer; always 1.", "name", "direction", "session", "pinned"),
		trip:     peer("round_trip_seconds", "Last measured round-trip time of a peer."),
		queued:   peer("outbound_queue_messages", "Messages in the outbound queue of a peer."),
		active:   peer("last_message_timestamp_seconds", "Unix time of the peer's last message."),
		ahead:    peer("clock_ahead_seconds", "Time by which the peer's clock is ahead; negative: behind."),
		received: peer("messages_received_total", "Messages that passed every check, on a peer's connection."),
		sent:     peer("messages_sent_total", "Messages handed to the operating system, on a peer's connection."),
		dropped:  peer("messages_dropped_total", "Received messages that were dropped, on a peer's connection."),
	}
}

func (m *peerMetrics) describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.info, m.trip, m.queued, m.active, m.ahead, m.received, m.sent, m.dropped,
	} {
		out <- d
	}
}

// collect adds the series of at most maxPeerSeries verified peers. Persistent and allowlisted peers come first, so that
// an attacker with many identities cannot displace them.
func (m *peerMetrics) collect(ctx context.Context, node Node, gauge gaugeFunc, out chan<- prometheus.Metric) {
	for _, p := range firstVerified(ctx, node) {
		counter := func(d *prometheus.Desc, value uint64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), p.ID)
		}
		gauge(m.info, 1, p.ID, label(p.Name), p.Direction.String(), p.Format.String(), strconv.FormatBool(p.Pinned))
		gauge(m.queued, float64(p.Queued), p.ID)
		gauge(m.active, float64(p.LastSeen.UnixMilli())/1000, p.ID)
		counter(m.received, p.Traffic.Received)
		counter(m.sent, p.Traffic.Sent)
		counter(m.dropped, p.Traffic.Dropped)
		if p.RTT > 0 {
			gauge(m.trip, p.RTT.Seconds(), p.ID)
		}
		if p.ClockAhead != 0 {
			gauge(m.ahead, p.ClockAhead.Seconds(), p.ID)
		}
	}
}

// firstVerified returns the peers that get series. It reads the connected peers in pages.
func firstVerified(ctx context.Context, node Node) (first []supervisor.PeerInfo) {
	for q := (supervisor.PeerQuery{Connected: true}); ; {
		page, err := node.PeerPage(ctx, q)
		if err != nil {
			return first
		}
		first = append(first, slices.DeleteFunc(page.Peers, func(p supervisor.PeerInfo) bool { return !p.Verified })...)
		slices.SortFunc(first, func(a, b supervisor.PeerInfo) int {
			chosen := boolCompare(b.Persistent || b.Allowed, a.Persistent || a.Allowed)
			return cmp.Or(chosen, a.AddedAt.Compare(b.AddedAt), cmp.Compare(a.ID, b.ID))
		})
		first = first[:min(len(first), maxPeerSeries)]
		if q.After = page.Next; q.After == "" {
			return first
		}
	}
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
