package dedup

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

var memberKey = bytes.Repeat([]byte{7}, 32)

// newMember returns a set with the secret of a node of several members.
func newMember(t *testing.T, limit int, now time.Time, random byte) *Set {
	t.Helper()
	d, err := New(time.Minute, limit, limit, now, bytes.NewReader(bytes.Repeat([]byte{random}, 16)))
	if err == nil {
		err = d.ShareSecret(memberKey)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Judge(time.Minute, func(now time.Time) time.Time { return now })
	return d
}

func memberMessage(id, payload string, at time.Time) *wire.Message {
	return &wire.Message{
		ID: id, Type: "text", From: "author", To: "node", Timestamp: at, Payload: []byte(payload),
	}
}

// A digest that one member makes and another member's own messages are compared by the rule for one set.
func TestDigestIsComparedWithMessages(t *testing.T) {
	now := time.Now()
	here, there := newMember(t, 1000, now, 1), newMember(t, 1000, now, 2)
	message, other := memberMessage("id", `"a"`, now), memberMessage("id", `"b"`, now)
	there.For("author").Seen(message, now)
	member := there.Member("here")
	for _, test := range []struct {
		name string
		peer string
		msg  *wire.Message
		want actors.Verdict
	}{
		{"the same through another peer", "relay", message, actors.Duplicate},
		{"another content through another peer", "relay", other, actors.Fresh},
		{"another content from the same peer", "author", other, actors.Duplicate},
		{"again", "relay", other, actors.Duplicate},
	} {
		digest := here.account(test.peer, "").Digest(test.msg, now)
		known := member.KnownDigest(digest, now)
		if got := member.SeenDigest(digest, now); got != test.want || known != got {
			t.Errorf("%s: verdict %v, known %v, want %v", test.name, got, known, test.want)
		}
	}
	if got := there.For("relay").Seen(other, now); got != actors.Duplicate {
		t.Errorf("a message after its digest: %v", got)
	}
}

// A message stamped ahead is remembered for as long as it stays acceptable, by the clock of the member that asks.
func TestDigestStampedAheadIsKeptLonger(t *testing.T) {
	start := time.Now()
	here, there := newMember(t, 1000, start, 1), newMember(t, 1000, start, 2)
	digest := here.account("relay", "").Digest(memberMessage("id", `1`, start.Add(50*time.Second)), start)
	member := there.Member("here")
	member.SeenDigest(digest, start)
	for _, step := range []struct {
		after time.Duration
		want  actors.Verdict
	}{{60 * time.Second, actors.Duplicate}, {109 * time.Second, actors.Duplicate}, {111 * time.Second, actors.Fresh}} {
		now := start.Add(step.after)
		there.Rotate(now)
		if got := member.KnownDigest(digest, now); got != step.want {
			t.Errorf("after %v: %v, want %v", step.after, got, step.want)
		}
	}
}

func TestDigestOfAMemberHasNoShare(t *testing.T) {
	now := time.Now()
	d, err := New(time.Minute, 100, 10, now, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	member, fresh := d.Member("other"), 0
	for i := range 300 {
		if member.SeenDigest(Digest{ID: uint64(i) << 20, Content: uint64(i), Peer: 1}, now) == actors.Fresh {
			fresh++
		}
	}
	if fresh != 200 {
		t.Errorf("%d entries of a member, want 200: all of the set", fresh)
	}
}

// The entries of a member that leaves are known to the others until they expire, once.
func TestImportTakesOverTheEntries(t *testing.T) {
	const messages = 5000 // several pages
	start := time.Now()
	leaver, stayer := newMember(t, 10_000, start, 1), newMember(t, 10_000, start, 2)
	sent := func(i int) *wire.Message { return memberMessage(fmt.Sprint(i), `1`, start) }
	for i := range messages {
		leaver.For("author").Seen(sent(i), start.Add(time.Duration(i)*time.Millisecond))
	}
	stayer.For("author").Seen(sent(0), start)
	now := start.Add(10 * time.Second)
	pages := 0
	for page := range leaver.Export(now) {
		if pages++; !stayer.Import("leaver", page, now) {
			t.Error("a page was not taken")
		}
		if !stayer.Import("leaver", page, now) {
			t.Error("a page was not taken twice")
		}
	}
	if pages != 3 || stayer.Len() != messages {
		t.Errorf("%d pages, %d entries, want 3 and %d", pages, stayer.Len(), messages)
	}
	for i := range messages {
		if got := stayer.For("relay").Known(sent(i), now); got != actors.Duplicate {
			t.Fatalf("message %d through a relay: %v", i, got)
		}
	}
	later := start.Add(61*time.Second + messages*time.Millisecond)
	stayer.Rotate(later)
	stayer.Rotate(later.Add(time.Minute))
	if got := stayer.For("relay").Known(sent(messages-1), later); got != actors.Fresh || stayer.Len() != 0 {
		t.Errorf("after a window: %v, %d entries after two", got, stayer.Len())
	}
}

// An entry whose ID another message has is not lost.
func TestImportKeepsBothMessagesOfAnID(t *testing.T) {
	now := time.Now()
	leaver, stayer := newMember(t, 100, now, 1), newMember(t, 100, now, 2)
	leaver.For("author").Seen(memberMessage("id", `1`, now), now)
	stayer.For("mallory").Seen(memberMessage("id", `2`, now), now)
	for page := range leaver.Export(now) {
		stayer.Import("leaver", page, now)
	}
	for _, payload := range []string{`1`, `2`} {
		if got := stayer.For("relay").Known(memberMessage("id", payload, now), now); got != actors.Duplicate {
			t.Errorf("message %s: %v", payload, got)
		}
	}
}

func TestImportRefusesWhatHasNoSpace(t *testing.T) {
	now := time.Now()
	leaver, stayer := newMember(t, 1000, now, 1), newMember(t, 100, now, 2)
	for i := range 300 {
		leaver.For("author").Seen(memberMessage(fmt.Sprint(i), `1`, now), now)
	}
	for page := range leaver.Export(now) {
		if stayer.Import("leaver", page, now) {
			t.Error("300 entries were taken by a set of 200")
		}
	}
	for _, page := range [][]byte{nil, {1}, make([]byte, 8), make([]byte, MaxPage+entrySize)} {
		if stayer.Import("leaver", page, now) {
			t.Errorf("a malformed page of %d bytes was taken", len(page))
		}
	}
}

// A member keeps its secret over a restart: the entries of the last run need no look-up of their own.
func TestLoadAdoptsTheSameSecret(t *testing.T) {
	now := time.Now()
	path := filepath.Join(t.TempDir(), "seen")
	first, second := newMember(t, 100, now, 1), newMember(t, 100, now, 2)
	first.For("author").Seen(memberMessage("id", `1`, now), now)
	if err := first.Save(path, now, now); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Load(path, now, now); err != nil {
		t.Fatal(err)
	}
	if n := len(second.earlier()); n != 0 || second.Len() != 1 || second.count.Load() != 1 {
		t.Errorf("%d earlier runs, %d entries, count %d; want 0, 1, 1", n, second.Len(), second.count.Load())
	}
	if got := second.For("relay").Known(memberMessage("id", `1`, now), now); got != actors.Duplicate {
		t.Errorf("verdict %v", got)
	}
}
