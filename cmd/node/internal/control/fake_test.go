package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

const (
	aliceID = "6b4c195b5338ff84876cc6de1b1118bf"
	bobID   = "8dffda5ff32ade93902da91128a56961"
	bobKey  = "xgIcSXQ0VEqDqmeVSVsNswK46Eb+AU6kZZmnrLZYnTA="
)

// fakeNode is the node alice, which knows the peer bob. Its methods return err.
type fakeNode struct {
	err    error
	failed []supervisor.SendFailure
	block  bool // RequestContext blocks until its context ends

	mu      sync.Mutex
	sent    []*wire.Message
	allowed []crypto.PublicKey
	revoked []crypto.PublicKey
	forgot  bool
	mode    supervisor.AuthMode
	feed    *feed.Feed
	role    crypto.NodeRole // of the last broadcast
	stored  bool
	pins    bool
	alias   [2]string // node ID and alias
}

func (f *fakeNode) Identity() crypto.NodeIdentity {
	return crypto.NodeIdentity{ID: aliceID, Name: "alice"}
}

func (f *fakeNode) Configuration() Configuration { return Configuration{File: "x"} }

func (f *fakeNode) Report(context.Context) ([]byte, error) { return []byte("archive"), f.err }

func (f *fakeNode) Members() ([]output.Member, error) {
	return []output.Member{{Name: "a", Address: "10.0.0.1:9093", State: "alive", Self: true, Max: 100}}, f.err
}

func (f *fakeNode) DrainPeers(_ context.Context, wait bool) (Drained, error) {
	return Drained{Member: "a", Done: wait}, f.err
}

func (f *fakeNode) Version() string { return "v9" }

func (f *fakeNode) Resolve(name string) (string, error) {
	switch name {
	case "bob", bobID:
		return bobID, nil
	case "claimed":
		return "", supervisor.ErrUnverified
	case "twin":
		return "", supervisor.ErrAmbiguousPeer
	}
	return "", supervisor.ErrUnknownPeer
}

func (f *fakeNode) Status(context.Context) (supervisor.Status, error) {
	return supervisor.Status{Identity: f.Identity(), Auth: supervisor.PeerAuthOpen}, f.err
}

func (f *fakeNode) Member() string { return "" }

func (f *fakeNode) Home(string) string { return "" }

func (f *fakeNode) KnownPeers() int { return 1 }

func (f *fakeNode) Load() supervisor.Load { return supervisor.Load{} }

func (f *fakeNode) AskMembers(context.Context, []byte, ...string) []supervisor.MemberAnswer {
	return nil
}

func (f *fakeNode) PeerPage(context.Context, supervisor.PeerQuery) (supervisor.PeerPage, error) {
	return supervisor.PeerPage{
		Peers: []supervisor.PeerInfo{{ID: bobID, Name: "bob"}},
		Dials: []supervisor.DialInfo{{Address: "host:2", LastError: errors.New("no route")}},
	}, f.err
}

func (f *fakeNode) Reload(context.Context) (Reloaded, error) {
	return Reloaded{Changed: []string{"max-conns"}, NeedRestart: []string{}}, f.err
}

func (f *fakeNode) Connect(_ context.Context, address string) (Connected, error) {
	return Connected{Peer: bobID, Name: "bob", Address: address}, f.err
}

func (f *fakeNode) Disconnect(_ context.Context, peer string, forget bool) (Disconnected, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgot = forget
	return Disconnected{Peer: peer, Forgotten: forget, Verified: true, PublicKey: bobKey}, f.err
}

func (f *fakeNode) DisconnectUntil(_ context.Context, peer string, until time.Time) (Disconnected, error) {
	return Disconnected{Peer: peer, Until: until}, f.err
}

// DisconnectConnection closes number 7, an unverified connection that claims bob's identity.
func (f *fakeNode) DisconnectConnection(_ context.Context, number uint64) (Disconnected, error) {
	if number != 7 {
		return Disconnected{}, supervisor.ErrNotConnected
	}
	return Disconnected{Peer: bobID, Connection: number, Inbound: true, PublicKey: bobKey}, f.err
}

func (f *fakeNode) record(m *wire.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, m)
}

func (f *fakeNode) SendContext(_ context.Context, _ string, m *wire.Message) error {
	f.record(m)
	return f.err
}

func (f *fakeNode) BroadcastToRole(
	_ context.Context, role crypto.NodeRole, m *wire.Message,
) supervisor.BroadcastResult {
	f.record(m)
	f.role = role
	return supervisor.BroadcastResult{Sent: 2, Failed: f.failed, Refused: f.err}
}

// received returns the number of messages that were sent.
func (f *fakeNode) received() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

func (f *fakeNode) RequestContext(ctx context.Context, _ string, m *wire.Message) (*wire.Message, error) {
	f.record(m)
	if f.block {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if f.err != nil {
		return nil, f.err
	}
	return m.Reply("stats", json.RawMessage(`{"a":"<b>"}`))
}

// ResolveKey knows bob by ID and alias; "claimed" is only a claimed name.
func (f *fakeNode) ResolveKey(_ context.Context, text string) (crypto.PublicKey, error) {
	switch text {
	case "bob", bobID, bobKey:
		return crypto.ParsePublicKey(bobKey)
	case "claimed":
		return crypto.PublicKey{}, &supervisor.ClaimedNameError{Text: text, Candidates: []supervisor.PeerCandidate{
			{ID: bobID, PublicKey: bobKey},
		}}
	}
	if text == "twin" {
		return crypto.PublicKey{}, &supervisor.AmbiguousPeerError{Text: text}
	}
	return crypto.PublicKey{}, &supervisor.UnknownPeerError{Text: text}
}

// Pending lists bob, a peer that has dialled this node.
func (f *fakeNode) Pending(context.Context) ([]supervisor.PendingPeer, error) {
	key, err := crypto.ParsePublicKey(bobKey)
	list := []supervisor.PendingPeer{{ID: bobID, Key: key, Name: "bob", Address: "host:9", Count: 2}}
	return list, errors.Join(err, f.err)
}

func (f *fakeNode) AllowedKeys() []supervisor.ListedKey { return f.listed(f.allowed) }

func (f *fakeNode) RevokedKeys() []supervisor.ListedKey { return f.listed(f.revoked) }

func (f *fakeNode) listed(keys []crypto.PublicKey) (list []supervisor.ListedKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		list = append(list, supervisor.ListedKey{Key: key, ID: key.NodeID(), Name: "bob"})
	}
	return list
}

func (f *fakeNode) HasPins() bool { return f.pins }

func (f *fakeNode) SetAlias(peerID, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alias = [2]string{peerID, name}
	return f.err
}

func (f *fakeNode) Watch(filter feed.Filter, text bool) (*feed.Stream, error) {
	return f.feed.Watch(filter, text)
}

func (f *fakeNode) HandleType(kind string) (*feed.Stream, error) { return f.feed.Handle(kind) }

func (f *fakeNode) Allow(keys ...crypto.PublicKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.allowed = append(f.allowed, keys...)
	return f.err
}

func (f *fakeNode) Revoke(keys ...crypto.PublicKey) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = append(f.revoked, keys...)
	return f.err
}

func (f *fakeNode) Forget(_ context.Context, peers ...string) ([]string, error) { return peers, f.err }

// ForgetUnused forgets bob, last seen an hour ago.
func (f *fakeNode) ForgetUnused(_ context.Context, rule supervisor.ForgetRule) ([]string, error) {
	if !rule.Unverified && rule.Before.Before(time.Now().Add(-time.Hour)) {
		return nil, f.err
	}
	return []string{bobID}, f.err
}

func (f *fakeNode) ForgetProtocol(peers ...string) ([]string, error) { return peers, f.err }

func (f *fakeNode) AuthMode() (supervisor.AuthMode, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mode, f.stored
}

// SetAuthModeContext disconnects two peers.
func (f *fakeNode) SetAuthModeContext(_ context.Context, mode supervisor.AuthMode) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.stored = mode, true
	return 2, f.err
}

// serve starts a server for node in dir and returns a client for it.
func serve(t *testing.T, dir string, node Node) *Client {
	t.Helper()
	server, err := Listen(dir, settings.NoGroup, NewHandler(node, 1<<20), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.Serve()
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return NewClient(dir)
}
