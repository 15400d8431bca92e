package toxiproxy

import (
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
)

// reconnect is the longest that a peer that can be reached again may stay away: a handshake that times out in the worst
// case, and the pauses of the first few failures in a row, of which the last is 4 s at most.
const reconnect = 10 * time.Second

// through starts two nodes of which the second keeps the first connected, through a proxy.
func through(t *testing.T) (a, b *node, proxy *toxiproxy.Proxy) {
	t.Helper()
	a = start(t, "a", nil)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy = toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", a.Addr().String())
	must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	b = start(t, "b", func(c *supervisor.TransportConfig) {
		c.ListenAddr = ""
		c.Peers = []string{proxy.Listen}
	})
	a.awaitUps(1)
	b.awaitUps(1)
	return a, b, proxy
}

// poison adds a toxic to one direction of all connections: "upstream" is from b to a.
func poison(t *testing.T, proxy *toxiproxy.Proxy, direction, config string) {
	t.Helper()
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(
		`{"name":"` + direction + `","stream":"` + direction + `",` + config + `}`,
	))
	must(t, err)
}

// heal takes the toxic away again.
func heal(t *testing.T, proxy *toxiproxy.Proxy, direction string) {
	t.Helper()
	must(t, proxy.Toxics.RemoveToxic(t.Context(), direction))
}

// TestSlowNetworkLosesNothing: latency with jitter and low bandwidth delay messages. Each arrives once and in order,
// and the connection stays open, also while it is idle.
func TestSlowNetworkLosesNothing(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{
		"latency":   `"type":"latency","attributes":{"latency":200,"jitter":150}`,
		"bandwidth": `"type":"bandwidth","attributes":{"rate":200}`, // KB/s
		"slices":    `"type":"slicer","attributes":{"average_size":200,"size_variation":150,"delay":100}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const messages = 200
			a, b, proxy := through(t)
			poison(t, proxy, "upstream", config)
			poison(t, proxy, "downstream", config)
			fill := strings.Repeat("x", 1000)
			for i := range messages {
				must(t, b.sendNumber(a, i, fill))
				must(t, a.sendNumber(b, i, fill))
			}
			a.requireAll(messages)
			b.requireAll(messages)
			received := a.Counter("messagesReceived")
			a.Poll("three pings and pongs of the idle connection, which take longer than the silence limit", func() bool {
				return a.Counter("messagesReceived") >= received+6 || downs(a.Seen()) > 0
			})
			for _, n := range []*node{a, b} {
				if ended := downs(n.Seen()); ended != 0 {
					t.Errorf("the connection ended %d times, want none", ended)
				}
			}
		})
	}
}

// TestBrokenNetworkIsRedialled: connections are reset, become silent, or are cut in the middle of the stream. The
// dialling node reconnects within the backoff's limit, and the messages that arrive do so once and in order.
func TestBrokenNetworkIsRedialled(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{
		"reset":    `"type":"reset_peer","attributes":{"timeout":0}`,
		"silence":  `"type":"timeout","attributes":{"timeout":0}`, // the data is lost, the connection stays open
		"cut":      `"type":"limit_data","attributes":{"bytes":5000}`,
		"cut soon": `"type":"limit_data","attributes":{"bytes":20}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, proxy := through(t)
			numbers := make(chan int)
			stop := make(chan struct{})
			go func() { numbers <- keepSending(b, a, stop) }()
			for round := range 2 {
				poison(t, proxy, "upstream", config)
				b.awaitDowns(round + 1)
				a.awaitDowns(round + 1)
				before := ups(b.Seen())
				heal(t, proxy, "upstream")
				healed := time.Now()
				b.Await("the connection after healing", func(s nodetest.Seen) bool {
					return ups(s) > before || ups(s) > downs(s)
				})
				// The listening node reports the dialler once it has proven itself, by a frame behind the handshake.
				a.Await("the proof after healing", func(s nodetest.Seen) bool { return ups(s) > downs(s) })
				if took := time.Since(healed); took > reconnect {
					t.Errorf("round %d: back after %v, want %v at most", round, took, reconnect)
				}
			}
			close(stop)
			last := <-numbers
			b.Await("the last connection", func(s nodetest.Seen) bool { return ups(s) > downs(s) })
			for b.sendNumber(a, last, "") != nil {
				<-time.After(10 * time.Millisecond) // the peer is only just connected
			}
			a.awaitNumber(last)
		})
	}
}

// keepSending sends numbered messages every few milliseconds, connected or not, and returns the next number.
func keepSending(from, to *node, stop <-chan struct{}) int {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for number := 0; ; number++ {
		select {
		case <-stop:
			return number
		case <-ticker.C:
			_ = from.sendNumber(to, number, strings.Repeat("x", 100)) // a message may be lost while there is no connection
		}
	}
}
