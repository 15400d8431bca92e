package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// fakeNode is a node with answers that a test sets.
type fakeNode struct {
	mu        sync.Mutex
	accepting bool
	stopped   bool
	counters  actors.Counters
	connected []supervisor.PeerInfo
	known     []supervisor.PeerInfo // not connected
	kept      []supervisor.DialInfo
}

func (f *fakeNode) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeNode) Identity() crypto.NodeIdentity {
	return crypto.NodeIdentity{ID: strings.Repeat("a1", 16), Name: "alice <b>", Role: crypto.RoleDual}
}

func (f *fakeNode) Accepting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.accepting
}

func (f *fakeNode) Counters() map[string]uint64 { return f.counters.Snapshot() }

func (f *fakeNode) Load() (load supervisor.Load) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var trips []time.Duration
	for _, p := range f.connected {
		load.Peers++
		load.Queued, load.QueuedBytes = load.Queued+p.Queued, load.QueuedBytes+p.QueuedSize
		load.LongestQueue = max(load.LongestQueue, p.Queued)
		if p.RTT > 0 {
			trips = append(trips, p.RTT)
		}
		if p.Format.Session {
			load.Sessions++
		}
	}
	if slices.Sort(trips); len(trips) > 0 {
		load.MinRTT, load.MedianRTT, load.MaxRTT = trips[0], trips[len(trips)/2], trips[len(trips)-1]
	}
	return load
}

func (f *fakeNode) KnownPeers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.connected) + len(f.known)
}

func (f *fakeNode) Status(context.Context) (supervisor.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return supervisor.Status{}, supervisor.ErrStopped
	}
	return supervisor.Status{
		Identity: crypto.NodeIdentity{ID: "x"}, Address: "127.0.0.1:9091",
		Uptime: 12 * time.Second, Auth: supervisor.PeerAuthOpen,
		Connections: supervisor.ConnectionCounts{Established: len(f.connected), Pending: 1, Max: 100},
		Goroutines:  9, HeapBytes: 1 << 20,
	}, nil
}

func (f *fakeNode) KeptAddresses(context.Context) ([]supervisor.DialInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, supervisor.ErrStopped
	}
	return append([]supervisor.DialInfo(nil), f.kept...), nil
}

// PeerPage returns all peers and addresses in one page, or the connected ones.
func (f *fakeNode) PeerPage(_ context.Context, q supervisor.PeerQuery) (page supervisor.PeerPage, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return page, supervisor.ErrStopped
	}
	page.Peers = append(page.Peers, f.connected...)
	if !q.Connected {
		page.Peers, page.Dials = append(page.Peers, f.known...), append(page.Dials, f.kept...)
	}
	return page, nil
}

func (f *fakeNode) Tree(_ context.Context, limit int) (supervisor.Tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return supervisor.Tree{}, supervisor.ErrStopped
	}
	tree := supervisor.Tree{Registry: "p2p-registry-1", Restarts: 2, Stopped: 1, Total: len(f.connected)}
	for _, p := range f.connected[:min(limit, len(f.connected))] {
		tree.Connections = append(tree.Connections, supervisor.ConnectionActor{
			Actor: "a", Peer: p.ID, Name: p.Name, State: supervisor.ConnectionVerified, Route: true,
		})
	}
	return tree, nil
}

// peer returns a connected peer.
func peer(id string, change ...func(*supervisor.PeerInfo)) supervisor.PeerInfo {
	p := supervisor.PeerInfo{
		ID: id, Name: "name of " + id, Address: "10.0.0.1:9091", Role: crypto.RoleDual, Connected: true, Verified: true,
		Direction: supervisor.Inbound, RTT: 2 * time.Millisecond, LastSeen: time.Unix(1e9, 0), AddedAt: time.Unix(1e9, 0),
		Queued: 3, QueuedSize: 300,
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// serve starts a server on a free port. It has no timeouts of requests, which would end those of a slow machine.
func serve(t *testing.T, node *fakeNode, change ...func(*Config)) *Server {
	t.Helper()
	c := Config{
		Address: "127.0.0.1:0", Node: node, Timings: NewTimings(), Version: "v1",
		Build: Build{Version: "v1", Revision: "abc", GoVersion: "go9"}, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	s.http.ReadHeaderTimeout, s.http.ReadTimeout, s.http.WriteTimeout = 0, 0, 0
	s.Serve()
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// fetch requests one page on a connection of its own.
func fetch(t *testing.T, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
