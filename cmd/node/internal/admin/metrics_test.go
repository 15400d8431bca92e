package admin

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// contract returns the counters that programs rely on.
func contract() []string {
	return []string{
		"messagesReceived", "messagesSent", "bytesReceived", "bytesSent", "framesMalformed", "messagesRateLimited",
		"messagesDuplicate", "messagesStale", "handshakesAccepted", "handshakesRejected", "connectionsRefused",
		"originsRefused", "slowPeersClosed", "peersTimedOut", "actorRestarts", "handlerPanics", "dials", "dialsFailed",
		"messagesAfterGoodbye", "messagesOverPeerRate", "acceptErrors", "bookWriteErrors", "downgradesRefused",
		"subscribersStuck", "logLinesDropped", "eventsLost", "repliesDropped", "clusterChecks", "clusterUnchecked",
		"clusterForwarded", "clusterForwardFailed",
		"clusterClaims", "clusterTaken", "clusterSnapshots", "membersLost",
		"clusterDroppedMalformed", "clusterDroppedVersion", "clusterDroppedRefused", "clusterDroppedUnhandled",
	}
}

// names returns the types of all metrics that the node defines, by name.
func names(perPeer bool) map[string]string {
	all := map[string]string{
		"p2p_addresses": "gauge", "p2p_address_connected": "gauge", "p2p_address_dial_attempts": "gauge",
		"p2p_address_next_dial_seconds": "gauge", "p2p_ready": "gauge", "p2p_node_info": "gauge",
		"p2p_build_info": "gauge", "p2p_uptime_seconds": "gauge",
		"p2p_connections": "gauge", "p2p_connections_limit": "gauge", "p2p_peers_known": "gauge",
		"p2p_peers_connected": "gauge", "p2p_peers_connected_by_session": "gauge",
		"p2p_outbound_queue_messages": "gauge", "p2p_outbound_queue_bytes": "gauge",
		"p2p_outbound_queue_longest_messages": "gauge", "p2p_round_trip_seconds": "histogram",
		"p2p_handshake_seconds": "histogram", "p2p_handler_seconds": "histogram",
		"p2p_messages_refused_total": "counter",
	}
	for _, counter := range contract() {
		all[metricName(counter)] = "counter"
	}
	if perPeer {
		for _, name := range []string{
			"info", "round_trip_seconds", "outbound_queue_messages", "last_message_timestamp_seconds", "clock_ahead_seconds",
		} {
			all["p2p_peer_"+name] = "gauge"
		}
		for _, name := range []string{"received", "sent", "dropped"} {
			all["p2p_peer_messages_"+name+"_total"] = "counter"
		}
	}
	return all
}

// scrape returns the text of /metrics and the types of the metrics that the node defines.
func scrape(t *testing.T, s *Server) (text string, types map[string]string) {
	t.Helper()
	resp, text := fetch(t, http.MethodGet, s.URL()+"/metrics")
	if resp.StatusCode != 200 {
		t.Fatalf("/metrics: %d, %s", resp.StatusCode, text)
	}
	types = make(map[string]string)
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[1] == "TYPE" && strings.HasPrefix(fields[2], "p2p_") {
			types[fields[2]] = fields[3]
		}
	}
	return text, types
}

func TestMetricsMatchTheContract(t *testing.T) {
	for _, perPeer := range []bool{false, true} {
		node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{peer("p1", func(p *supervisor.PeerInfo) {
			p.ClockAhead = time.Second
		})}}
		node.kept = []supervisor.DialInfo{{Address: "a:1"}}
		s := serve(t, node, func(c *Config) { c.PerPeer = perPeer })
		text, types := scrape(t, s)
		if want := names(perPeer); !maps.Equal(types, want) {
			t.Errorf("per peer %v: the metrics are\n%v\nwant\n%v", perPeer, types, want)
		}
		for _, needed := range []string{"go_goroutines ", "process_start_time_seconds "} {
			if !strings.Contains(text, "\n"+needed) {
				t.Errorf("no %s", needed)
			}
		}
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("promlint: %v, %v", problems, err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "# HELP p2p_") && strings.Contains(line, "Count of ") {
				t.Errorf("a counter without help: %s", line)
			}
		}
	}
}

func TestMetricsShowTheNode(t *testing.T) {
	node := &fakeNode{accepting: true, known: make([]supervisor.PeerInfo, 4), connected: []supervisor.PeerInfo{
		peer("p1"), peer("p2", func(p *supervisor.PeerInfo) {
			p.Queued, p.QueuedSize, p.Format = 40, 4000, supervisor.Format{Session: true}
		}),
	}}
	node.counters.Add(actors.MessagesReceived, 7)
	node.kept = []supervisor.DialInfo{
		{Address: "up:1", Connected: true, Failures: 2},
		{Address: "down:1", Failures: 3, NextDial: time.Now().Add(time.Hour)},
		{Address: "dialling:1", Dialling: true, NextDial: time.Now().Add(-time.Hour)},
		{Address: "up:2", Connected: true},
	}
	timings := NewTimings()
	timings.RoundTrip(3 * time.Millisecond)
	timings.Handshake(30 * time.Millisecond)
	timings.Handler(3 * time.Microsecond)
	s := serve(t, node, func(c *Config) { c.Timings = timings })
	text, _ := scrape(t, s)
	for _, line := range []string{
		"p2p_messages_received_total 7", "p2p_ready 1", "p2p_uptime_seconds 12", `p2p_connections{state="established"} 2`,
		`p2p_connections{state="pending"} 1`, "p2p_connections_limit 100", "p2p_peers_known 6", "p2p_peers_connected 2",
		`p2p_peers_connected_by_session{session="session/1"} 1`, `p2p_peers_connected_by_session{session="smsg"} 1`,
		"p2p_outbound_queue_messages 43", "p2p_outbound_queue_bytes 4300", "p2p_outbound_queue_longest_messages 40",
		`p2p_round_trip_seconds_bucket{le="0.005"} 1`, `p2p_round_trip_seconds_bucket{le="0.0025"} 0`,
		"p2p_handshake_seconds_count 1", "p2p_handler_seconds_sum 3e-06",
		`p2p_addresses{state="connected"} 2`, `p2p_addresses{state="dialling"} 1`, `p2p_addresses{state="waiting"} 1`,
		`p2p_addresses{state="away"} 0`,
		`p2p_address_connected{address="up:1"} 1`, `p2p_address_dial_attempts{address="up:1"} 0`,
		`p2p_address_connected{address="down:1"} 0`, `p2p_address_dial_attempts{address="down:1"} 3`,
		`p2p_address_next_dial_seconds{address="up:1"} 0`, `p2p_address_next_dial_seconds{address="dialling:1"} 0`,
		`p2p_build_info{goversion="go9",revision="abc",version="v1"} 1`,
		`p2p_node_info{id="a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",name="alice <b>",role="dual",version="v1"} 1`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if !regexp.MustCompile(`\np2p_address_next_dial_seconds{address="down:1"} 35\d\d\.`).MatchString(text) { // of 3600
		t.Error("the time until the next dial is missing")
	}
	if strings.Contains(text, `peer="`) {
		t.Error("series of single peers without PerPeer")
	}
	node.set(func() { node.stopped, node.accepting = true, false })
	text, _ = scrape(t, s)
	if !strings.Contains(text, "\np2p_ready 0\n") || !strings.Contains(text, "\np2p_messages_received_total 7\n") ||
		strings.Contains(text, "\np2p_uptime_seconds ") {
		t.Errorf("after the stop: %s", text)
	}
}

// A thousand verified identities neither exceed the limit nor displace a persistent peer with an invalid label as name.
func TestPeerSeriesAreBounded(t *testing.T) {
	node := &fakeNode{accepting: true}
	for i := range 1000 {
		node.connected = append(node.connected, peer(fmt.Sprintf("visitor%d", i)))
	}
	friend := peer("zfriend", func(p *supervisor.PeerInfo) {
		p.Pinned, p.Format.Session = true, true
		p.ClockAhead, p.Traffic = -1500*time.Millisecond, supervisor.Traffic{Received: 5, Sent: 6, Dropped: 7}
		p.Persistent, p.AddedAt, p.Name = true, time.Now(), "bad \xff\n\"name\u202e"+strings.Repeat("x", 300)
	})
	node.connected = append(node.connected, friend,
		peer("unverified", func(p *supervisor.PeerInfo) { p.Verified = false }))
	text, _ := scrape(t, serve(t, node, func(c *Config) { c.PerPeer = true }))
	if n := strings.Count(text, "\np2p_peer_info{"); n != maxPeerSeries {
		t.Errorf("%d peers have series, want %d", n, maxPeerSeries)
	}
	if !strings.Contains(text, `peer="zfriend",pinned="true",session="session/1"} 1`) ||
		strings.Contains(text, `peer="unverified"`) {
		t.Error("the persistent peer has no series, or the unverified peer has one")
	}
	for _, line := range []string{
		`p2p_peer_clock_ahead_seconds{peer="zfriend"} -1.5`, `p2p_peer_messages_received_total{peer="zfriend"} 5`,
		`p2p_peer_messages_sent_total{peer="zfriend"} 6`, `p2p_peer_messages_dropped_total{peer="zfriend"} 7`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if strings.Contains(text, `p2p_peer_clock_ahead_seconds{peer="visitor`) {
		t.Error("an unknown clock difference is shown")
	}
}

// Timings run for every message.
func TestTimingsAllocateNothing(t *testing.T) {
	timings := NewTimings()
	if n := testing.AllocsPerRun(100, func() {
		timings.RoundTrip(time.Millisecond)
		timings.Handshake(time.Millisecond)
		timings.Handler(time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNodeCountsTheContract(t *testing.T) {
	node := &fakeNode{}
	own := slices.Collect(maps.Keys(node.Counters()))
	for _, counter := range contract() {
		if !slices.Contains(own, counter) {
			t.Errorf("the node does not count %s", counter)
		}
	}
}
