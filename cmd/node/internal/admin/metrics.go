package admin

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/Snider/go-p2p/supervisor"
)

const (
	maxScrapes    = 4               // in parallel
	scrapeTimeout = 2 * time.Second // for the node's answers
)

// metricsHandler returns the handler of /metrics with its own registry.
func metricsHandler(c Config) http.Handler {
	return promhttp.HandlerFor(newRegistry(c), promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	})
}

func newRegistry(c Config) *prometheus.Registry {
	r := prometheus.NewRegistry()
	// MustRegister panics only if two metrics have one name; the tests of this package register all of them.
	process := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	r.MustRegister(collectors.NewGoCollector(), process, newCollector(c))
	if c.Timings != nil {
		r.MustRegister(c.Timings.roundTrip, c.Timings.handshake, c.Timings.handler)
	}
	return r
}

// collector reads the node at each scrape. It has no state of its own.
type collector struct {
	node     Node
	version  string
	perPeer  bool
	counters map[string]*prometheus.Desc // by the counter's name

	ready, info, uptime, connections, limit          *prometheus.Desc
	known, connected, format, queued, bytes, longest *prometheus.Desc

	addresses addressMetrics
	peers     peerMetrics
	build     prometheus.Metric
}

func newCollector(c Config) *collector {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("p2p_"+name, help, labels, nil)
	}
	m := &collector{
		node: c.Node, version: c.Version, perPeer: c.PerPeer, counters: make(map[string]*prometheus.Desc),
		addresses:   newAddressMetrics(),
		peers:       newPeerMetrics(),
		build:       c.Build.metric(),
		ready:       gauge("ready", "1 while the node accepts peers, else 0."),
		info:        gauge("node_info", "Identity of the node; always 1.", "id", "name", "role", "version"),
		uptime:      gauge("uptime_seconds", "Time since the node started."),
		connections: gauge("connections", "Connections, by state.", "state"),
		limit:       gauge("connections_limit", "Maximum number of connections (--max-conns)."),
		known:       gauge("peers_known", "Peers in the peer book."),
		connected:   gauge("peers_connected", "Connected peers."),
		format:      gauge("peers_connected_by_session", "Connected peers, by the frame format of their route.", "session"),
		queued:      gauge("outbound_queue_messages", "Messages in the outbound queues of all peers."),
		bytes:       gauge("outbound_queue_bytes", "Bytes in the outbound queues of all peers."),
		longest:     gauge("outbound_queue_longest_messages", "Messages in the longest outbound queue."),
	}
	for counter := range c.Node.Counters() {
		m.counters[counter] = prometheus.NewDesc(metricName(counter), counterHelp(counter), nil, nil)
	}
	return m
}

// metricName returns the name of a counter in /metrics.
func metricName(counter string) string {
	var b strings.Builder
	b.WriteString("p2p_")
	for _, r := range counter {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	b.WriteString("_total")
	return b.String()
}

// Describe implements prometheus.Collector.
func (m *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range m.counters {
		out <- d
	}
	for _, d := range []*prometheus.Desc{
		m.ready, m.info, m.uptime, m.connections, m.limit, m.known, m.connected, m.format, m.queued, m.bytes, m.longest,
	} {
		out <- d
	}
	m.addresses.describe(out)
	out <- m.build.Desc()
	if m.perPeer {
		m.peers.describe(out)
	}
}

// Collect implements prometheus.Collector. It omits the metrics of a running node while the node does not run.
func (m *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for counter, value := range m.node.Counters() {
		if d := m.counters[counter]; d != nil {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value))
		}
	}
	out <- m.build
	ready := 0.0
	if m.node.Accepting() {
		ready = 1
	}
	gauge(m.ready, ready)
	id := m.node.Identity()
	gauge(m.info, 1, id.ID, label(id.Name), string(id.Role), m.version)
	gauge(m.known, float64(m.node.KnownPeers()))

	load := m.node.Load()
	gauge(m.connected, float64(load.Peers))
	gauge(m.format, float64(load.Sessions), supervisor.Format{Session: true}.String())
	gauge(m.format, float64(load.Peers-load.Sessions), supervisor.Format{}.String())
	gauge(m.queued, float64(load.Queued))
	gauge(m.bytes, float64(load.QueuedBytes))
	gauge(m.longest, float64(load.LongestQueue))

	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if s, err := m.node.Status(ctx); err == nil {
		gauge(m.uptime, s.Uptime.Seconds())
		gauge(m.connections, float64(s.Connections.Established), "established")
		gauge(m.connections, float64(s.Connections.Pending), "pending")
		gauge(m.limit, float64(s.Connections.Max))
	}
	m.addresses.collect(ctx, m.node, time.Now(), gauge)
	if m.perPeer {
		m.peers.collect(ctx, m.node, gauge, out)
	}
}

// gaugeFunc emits one value of a metric.
type gaugeFunc func(d *prometheus.Desc, value float64, labels ...string)

// label makes a peer's name valid as a label, which must be UTF-8.
func label(text string) string { return name(text) }
