package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

func TestPeerKeepsKeysAndOrder(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	connected := supervisor.PeerInfo{
		ID: "1", Name: "bob", PublicKey: "k", Address: "h:1", Role: crypto.RoleWorker, Connected: true, Verified: true,
		Direction: supervisor.Outbound, RTT: 1500 * time.Microsecond, LastSeen: at, AddedAt: at, Persistent: true,
		Queued: 2, QueuedSize: 99, Allowed: true, Agent: "go-p2p 1.2", Pinned: true, ClockAhead: -1600 * time.Microsecond,
		Traffic: supervisor.Traffic{Received: 3, Sent: 4, Dropped: 5}, Connection: 7,
		Format: supervisor.Format{Session: true},
		Connections: []supervisor.ConnectionInfo{
			{
				Connection: 7, Address: "h:1", Direction: supervisor.Outbound, Verified: true,
				Traffic: supervisor.Traffic{Received: 6},
			},
		},
	}
	const zero = "0001-01-01T00:00:00Z"
	for want, peer := range map[string]supervisor.PeerInfo{
		`{"id":"1","name":"bob","alias":"","publicKey":"k","address":"h:1","addresses":[],` +
			`"role":"worker","connected":true,"verified":true,"direction":"outbound","rttMs":1.5,` +
			`"lastSeen":"2023-11-14T22:13:20Z","addedAt":"2023-11-14T22:13:20Z",` +
			`"persistent":true,"queued":2,"allowed":true,"revoked":false,` +
			`"state":"connected","member":"","lastError":"","nextDialAt":null,"attempts":0,"session":"session/1",` +
			`"version":"1.2","agent":"go-p2p 1.2","pinned":true,"clockSkewMs":-2,` +
			`"messagesReceived":3,"messagesSent":4,"dropped":5,"connection":7,` +
			`"connections":[{"connection":7,"address":"h:1","direction":"outbound","verified":true,` +
			`"session":"smsg","messagesReceived":6,"messagesSent":0,"dropped":0}]}`: connected,
		`{"id":"2","name":"","alias":"","publicKey":"","address":"","addresses":[],"role":"",` +
			`"connected":false,"verified":false,"direction":"","rttMs":0,"lastSeen":"` + zero + `",` +
			`"addedAt":"` + zero + `","persistent":false,"queued":0,"allowed":false,"revoked":false,"state":"away",` +
			`"member":"","lastError":"","nextDialAt":null,"attempts":0,"session":"","version":"","agent":"","pinned":false,` +
			`"clockSkewMs":0,"messagesReceived":0,"messagesSent":0,"dropped":0}`: {ID: "2"},
	} {
		if got, err := json.Marshal(NewPeer(peer)); err != nil || string(got) != want {
			t.Errorf("%v\n%s, want\n%s", err, got, want)
		}
	}
}

func TestPeersAreNeverNull(t *testing.T) {
	if got, err := json.Marshal(NewPeers(nil, nil)); err != nil || string(got) != "[]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestStatusKeepsKeysAndOrder(t *testing.T) {
	got, err := json.Marshal(NewStatus(supervisor.Status{
		Address: "h:1", Uptime: 1500 * time.Millisecond, Auth: supervisor.PeerAuthAllowlist,
		Session:     supervisor.SessionRequire,
		Connections: supervisor.ConnectionCounts{Established: 1, Pending: 2, Max: 3},
		Counters:    map[string]uint64{"dials": 4}, Goroutines: 5, HeapBytes: 6,
	}, "v9"))
	const want = `,"version":"v9","address":"h:1","uptime":1.5,"auth":"allowlist","session":"require",` +
		`"connections":{"established":1,"pending":2,"max":3},"counters":{"dials":4},"goroutines":5,"heapBytes":6}`
	if err != nil || !strings.HasPrefix(string(got), `{"identity":{"id":"",`) || !strings.HasSuffix(string(got), want) {
		t.Errorf("%v\n%s, want at the end\n%s", err, got, want)
	}
}

func TestErrorTextAddsTheCommand(t *testing.T) {
	key := crypto.PublicKey{}
	candidates := []supervisor.PeerCandidate{{ID: "1", Name: "a"}, {ID: "2", Name: "b", Address: "h:1"}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{
			&supervisor.PeerError{Peer: "h:1", Err: &supervisor.NotAllowedError{Key: key}},
			"peer h:1: peer not allowed: its key is not on this node's allowlist; `node allow " + key.String() + "` adds it",
		},
		{
			&supervisor.UnknownPeerError{Text: "x"},
			`no peer of that name or ID is known: "x"; give a node ID, 8 characters of one or more, or a name; ` +
				"`node peers` lists them",
		},
		{
			&supervisor.UnknownPeerError{Text: "x", Unanswered: []string{"a"}},
			`no peer of that name or ID is known: "x", but these members did not answer: a; one of them may know the peer: ` +
				"`node members` shows their state, and `node peers` the peers of the others",
		},
		{
			fmt.Errorf("%w", &supervisor.AmbiguousPeerError{Text: "x", Candidates: candidates}),
			`more than one peer fits: "x" fits 2 peers: 1 ("a", no address), 2 ("b", h:1); give more of the node ID`,
		},
		{
			supervisor.NewMembersError([]supervisor.MemberFault{{Member: "b", Err: errors.New("it is gone")}}),
			"the change is in force here, but other members have not confirmed it: b (it is gone); a member that cannot be " +
				"reached takes it over when it can",
		},
		{errors.New("anything else"), "anything else"},
	} {
		if got := ErrorText(c.err); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestLogLinesNameTheCommand(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: LogAttr}))
	log.Warn("dial failed", "error", &supervisor.NotAllowedError{})
	if !strings.Contains(out.String(), "on this node's allowlist; `node allow ") {
		t.Errorf("%s", &out)
	}
}

func TestAgeHasTwoUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m1s", 3661 * time.Second: "1h1m",
		50 * time.Hour: "2d2h",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestPeerTextShowsStateAndRoundTrip(t *testing.T) {
	for _, c := range []struct {
		peer  supervisor.PeerInfo
		state string
		claim bool
	}{
		{supervisor.PeerInfo{}, "away", false},
		{supervisor.PeerInfo{Connected: true}, "unverified", true},
		{supervisor.PeerInfo{Connected: true, Persistent: true}, "unverified", false},
		{supervisor.PeerInfo{Connected: true, Verified: true}, "connected", false},
	} {
		if p := NewPeer(c.peer); string(p.State) != c.state || p.Claimed() != c.claim {
			t.Errorf("%+v: %s, %v", c.peer, p.State, p.Claimed())
		}
	}
	if RoundTrip(0) != "-" || RoundTrip(1.234) != "1.23ms" {
		t.Errorf("%s, %s", RoundTrip(0), RoundTrip(1.234))
	}
}

// TestShortPausesAreNotZeroSeconds requires a time until the next dial that is true below the resolution of the text.
func TestShortPausesAreNotZeroSeconds(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		-time.Second:            {"within 1s", "at once"},
		0:                       {"within 1s", "at once"},
		49 * time.Millisecond:   {"within 1s", "at once"},
		50 * time.Millisecond:   {"within 1s", "in 100ms"},
		999 * time.Millisecond:  {"within 1s", "in 1s"},
		4600 * time.Millisecond: {"in 4s", "in 4.6s"},
	} {
		if got := [2]string{Until(d), Pause(d)}; got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
