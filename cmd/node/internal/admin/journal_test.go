package admin

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

func TestJournalIsBounded(t *testing.T) {
	j := newJournal()
	if got := j.since(0); len(got) != 0 {
		t.Fatalf("an empty journal has %v", got)
	}
	for i := range 3*journalSize + 7 {
		j.add(entry{Text: fmt.Sprint(i + 1)}, time.Now())
	}
	got := j.since(0)
	if len(got) != journalSize || cap(j.entries) > 2*journalSize {
		t.Fatalf("%d entries", len(got))
	}
	for i, e := range got {
		if want := uint64(2*journalSize + 8 + i); e.Seq != want || e.Text != fmt.Sprint(want) {
			t.Fatalf("entry %d is %+v, want %d", i, e, want)
		}
	}
	if got := j.since(3*journalSize + 5); len(got) != 2 || got[0].Seq != 3*journalSize+6 {
		t.Errorf("the last two are %v", got)
	}
	if got := j.since(3*journalSize + 7); len(got) != 0 {
		t.Errorf("after the last one: %v", got)
	}
}

type eventEntry struct {
	event supervisor.Event
	want  entry
}

// warningEntries are events with an entry of mood warning.
func warningEntries() []eventEntry {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	list := []eventEntry{
		{
			supervisor.PeerMoved{Peer: "p", Name: "bob", From: 3, To: 9},
			entry{Kind: "moved", Peer: "p", Text: "moved from connection 3 to 9; unconfirmed messages may be lost"},
		},
		{
			supervisor.Dropped{Peer: "p", Name: "bob", Reason: "messagesStale", Count: 5},
			entry{Kind: "dropped", Peer: "p", Text: "had 5 messages dropped, counted in messagesStale"},
		},
		{
			supervisor.PeerDown{Peer: "p", Code: wire.DisconnectNormal, Reason: "bye", Remote: true},
			entry{Kind: "disconnected", Peer: "p", Text: "is disconnected by the peer: bye (normal)"},
		},
		{
			supervisor.ListenerDown{Address: "h:1", Err: errors.New("gone")},
			entry{Kind: "listening ended", Text: "no peer can connect any more: gone"},
		},
		{
			supervisor.PeerRefused{Peer: "p", Name: "eve\x1b[31m", Address: "10.0.0.1:1", Reason: "not allowed", Omitted: 2},
			entry{
				Kind: "refused",
				Text: `"eve\x1b[31m" from 10.0.0.1:1, claiming to be p, was refused: not allowed; 2 more are not shown`,
			},
		},
		{
			supervisor.DialFailed{Address: "h:1", Err: fmt.Errorf("dial: %w", refused), RetryIn: 1234 * time.Millisecond},
			entry{Kind: "dial failed", Text: "h:1 cannot be reached: connect: connection refused; next try in 1.2s"},
		},
		{
			supervisor.DialFailed{Address: "h:1", Err: errors.New("other\nidentity")},
			entry{Kind: "dial failed", Text: "h:1 cannot be reached: other; identity; next try at once"},
		},
	}
	for i := range list {
		list[i].want.Mood = warning
	}
	return list
}

func TestEventsBecomeEntries(t *testing.T) {
	const closed = "connection 4 from 10.0.0.1:1, claiming to be p, was closed: a frame was sealed for another connection"
	conflict := func(text string) entry { return entry{Mood: bad, Kind: "identity conflict", Peer: "p", Text: text} }
	connected := func(text string) entry { return entry{Mood: good, Kind: "connected", Peer: "p", Text: text} }
	for _, tt := range append(warningEntries(), []eventEntry{
		{
			supervisor.PeerUp{Peer: "p", Name: "bob b", Address: "10.0.0.1:1", Direction: supervisor.Inbound},
			connected(`"bob b" is connected, inbound, 10.0.0.1:1, smsg, not verified yet`),
		},
		{
			supervisor.PeerUp{Peer: "p", Name: "bob", Address: "10.0.0.1:1", Verified: true, Connection: 7, Omitted: 3},
			connected("bob is connected, inbound, 10.0.0.1:1, smsg; 3 more unverified peers are not shown"),
		},
		{
			supervisor.PeerVerified{Peer: "p"},
			entry{Mood: good, Kind: "verified", Peer: "p", Text: "has proved that it holds its key"},
		},
		{
			supervisor.DowngradeRefused{Peer: "p", Address: "10.0.0.1:1", Connection: 4},
			entry{Mood: bad, Kind: "refused", Text: closed},
		},
		{
			supervisor.DowngradeRefused{Peer: "p", Address: "10.0.0.1:1", Connection: 4, Omitted: 2},
			entry{Mood: bad, Kind: "refused", Text: closed + "; 2 more are not shown"},
		},
		{
			supervisor.IdentityConflict{Peer: "p", Addresses: []string{"10.0.0.1", "b\x1b[31m"}},
			conflict(`is in use from several addresses: 10.0.0.1, "b\x1b[31m"; new connections are refused`),
		},
		{
			supervisor.IdentityConflict{Peer: "p", Addresses: []string{"10.0.0.1"}, Unproven: true},
			conflict("is in use several times at 10.0.0.1; unproven: some of them bind no frames"),
		},
	}...) {
		j := newJournal()
		j.event(tt.event, time.UnixMilli(5))
		tt.want.Seq, tt.want.Time = 1, 5
		if got := j.since(0); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%T: %+v, want %+v", tt.event, got, tt.want)
		}
	}
}

// Text that a peer chooses neither fills the journal nor contains control characters.
func TestJournalCutsAndEscapesPeerText(t *testing.T) {
	j := newJournal()
	evil := "\x1b[2J\u202e\xff" + strings.Repeat("y", 1<<20)
	j.event(supervisor.PeerUp{Peer: "p", Name: evil, Address: evil}, time.Now())
	j.event(supervisor.PeerDown{Peer: "p", Reason: evil}, time.Now())
	j.event(supervisor.DialFailed{Address: evil, Err: errors.New(evil)}, time.Now())
	j.event(supervisor.IdentityConflict{Peer: "p", Addresses: slices.Repeat([]string{evil}, 100)}, time.Now())
	j.event(supervisor.DowngradeRefused{Peer: "p", Address: evil}, time.Now())
	for _, e := range j.since(0) {
		length := utf8.RuneCountInString(e.Text)
		if length > maxText+1 || strings.ContainsAny(e.Text, "\x1b\u202e") || !utf8.ValidString(e.Text) {
			t.Errorf("%d characters: %.100q", length, e.Text)
		}
	}
}

func TestNilServerIgnoresEvents(t *testing.T) {
	var s *Server
	s.Event(supervisor.PeerVerified{})
}
