package admin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
)

// stream is an open event stream.
type stream struct {
	t     *testing.T
	resp  *http.Response
	lines *bufio.Scanner
}

func openStream(t *testing.T, s *Server) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{t: t, resp: resp, lines: lines}
}

// next decodes the data of the next event of a kind into v, if v is not nil.
func (s *stream) next(kind string, v any) {
	s.t.Helper()
	for s.lines.Scan() {
		if s.lines.Text() != "event: "+kind {
			continue
		}
		if !s.lines.Scan() {
			break
		}
		data, ok := strings.CutPrefix(s.lines.Text(), "data: ")
		if !ok {
			s.t.Fatalf("%s is followed by %q", kind, s.lines.Text())
		}
		if v != nil {
			if err := json.Unmarshal([]byte(data), v); err != nil {
				s.t.Fatalf("%s: %v", data, err)
			}
		}
		return
	}
	s.t.Fatalf("the stream ended without %s: %v", kind, s.lines.Err())
}

func TestStreamSendsAllKindsOfEvents(t *testing.T) {
	hostile := peer("p1", func(p *supervisor.PeerInfo) { p.Name = "<b>\n</b>" })
	node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{hostile}}
	server := serve(t, node)
	server.Event(supervisor.PeerUp{Peer: "p1", Name: "early"})
	s := openStream(t, server)
	if kind := s.resp.Header.Get("Content-Type"); s.resp.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("status %d, %s", s.resp.StatusCode, kind)
	}
	var first hello
	s.next("hello", &first)
	if first.Instance == "" || first.Version != "v1" || first.Identity.Name != "alice <b>" || first.History == nil ||
		len(first.Drops) != len(dropReasons()) {
		t.Errorf("hello %+v", first)
	}
	var e entry
	if s.next("log", &e); e.Seq != 1 || !strings.HasPrefix(e.Text, "early is connected") {
		t.Errorf("log %+v", e)
	}
	var v view
	s.next("tick", &v)
	var shown peerFacts
	if len(v.Peers) != 1 || json.Unmarshal(v.Peers[0].Facts, &shown) != nil || !v.Full ||
		shown.Name != `"<b>\n</b>"` || v.Established != 1 || v.State != "accepting" ||
		v.Tree.Restarts != 2 {
		t.Errorf("tick %+v", v)
	}
	server.Event(supervisor.PeerVerified{Peer: "p1"})
	if s.next("log", &e); e.Seq != 2 || e.Kind != "verified" {
		t.Errorf("log %+v", e)
	}
	var second hello
	openStream(t, server).next("hello", &second)
	if second.Instance != first.Instance {
		t.Error("two streams of one node name two instances")
	}
	go shut(t, server)
	s.next("bye", nil)
	if s.lines.Scan(); s.lines.Scan() {
		t.Errorf("after bye: %q", s.lines.Text())
	}
}

// A viewer gets all peers once, then only changes, and all of them again after it has missed a tick.
func TestStreamSendsChanges(t *testing.T) {
	node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{peer("p1"), peer("p2")}}
	s := openStream(t, serve(t, node))
	var first, second view
	if s.next("tick", &first); !first.Full || len(first.Peers) != 2 {
		t.Errorf("the first tick: full %v, %d peers", first.Full, len(first.Peers))
	}
	node.set(func() {
		node.connected = []supervisor.PeerInfo{peer("p2", func(p *supervisor.PeerInfo) { p.Queued++ })}
	})
	for len(second.Peers) == 0 { // a tick may have been on its way
		s.next("tick", &second)
	}
	if second.Full || second.Peers[0].Key != "p2" || second.Peers[0].Facts != nil || len(second.Gone) != 1 {
		t.Errorf("the second tick: full %v, peers %+v, gone %v", second.Full, second.Peers, second.Gone)
	}
	latest := &tick{seq: 5, changes: []byte("changes"), full: func() []byte { return []byte("all") }}
	for seen, want := range map[uint64]string{0: "all", 3: "all", 4: "changes", 5: "all"} {
		if got := string(latest.since(seen)); got != want {
			t.Errorf("after tick %d: %s, want %s", seen, got, want)
		}
	}
}

// A viewer's place is free again only after the viewer has left.
func TestStreamsAreBounded(t *testing.T) {
	server := serve(t, &fakeNode{})
	var open []*stream
	for range maxViewers {
		s := openStream(t, server)
		s.next("hello", nil)
		open = append(open, s)
	}
	if s := openStream(t, server); s.resp.StatusCode != 503 || s.resp.Header.Get("Retry-After") == "" {
		t.Fatalf("one viewer more: %d, want 503", s.resp.StatusCode)
	}
	if resp, _ := fetch(t, http.MethodHead, server.URL()+"/events"); resp.StatusCode != 200 {
		t.Errorf("HEAD takes a place: %d", resp.StatusCode)
	}
	if resp, _ := fetch(t, http.MethodGet, server.URL()+"/healthz"); resp.StatusCode != 200 {
		t.Errorf("viewers keep /healthz from answering: %d", resp.StatusCode)
	}
	open[0].resp.Body.Close()
	s := openStream(t, server)
	for s.resp.StatusCode != 200 { // until the server has noticed
		s = openStream(t, server)
	}
	s.next("hello", nil)
}

// A viewer on a real socket that does not read delays neither the ticks of another one nor the end of the server.
func TestStalledViewerEndsWithTheServer(t *testing.T) {
	if testing.Short() {
		t.Skip("fills the buffers of a socket")
	}
	node := &fakeNode{accepting: true}
	for i := range maxPeers {
		node.connected = append(node.connected, peer(fmt.Sprintf("%032x", i), func(p *supervisor.PeerInfo) {
			p.Name = strings.Repeat("n", maxName)
		}))
	}
	server := serve(t, node)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	s := openStream(t, server)
	for range 4 {
		s.next("tick", nil)
	}
	shut(t, server)
}
