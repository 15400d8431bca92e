package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/dedup"
)

func examples() []*message {
	holdings := []holding{{"peer1", 1}, {"peer2", 1 << 60}}
	claim := supervisor.Claim{
		Peer: "peer1", Strength: 3, Framed: true, Smaller: true, Proven: time.Minute, Address: "10.0.0.1:7",
	}
	return []*message{
		{head: head{kindUpdate, "a", 7}, seq: 9, claims: holdings, releases: []release{{"peer1", 1.5}, {"peer2", -1}}},
		{
			head: head{kindHeartbeat, "a", 7}, seq: 9,
			beat: heartbeat{supervisor.MemberDraining, 300, 1000, "a:1", 1 << 63, -5, 7, -time.Hour},
		},
		{head: head{kindGoodbye, "a", 7}, seq: 9, pages: 300},
		{head: head{kindClaim, "a", 7}, id: 3, claim: claim},
		{
			head: head{kindVerdict, "a", 7}, id: 3, claim: supervisor.Claim{Peer: "peer1"}, answer: answerGranted,
			verdict: supervisor.ClaimVerdict{Term: 4, Tokens: -1.5, InUse: true},
		},
		{head: head{kindCheck, "a", 7}, checks: []check{
			{
				author: "peer1", first: true, stamp: time.Unix(3, 4), converted: true, adjusted: true, latest: true,
				digest: dedup.Digest{ID: 1, Content: 1 << 63, Peer: 2, Ahead: 5},
			},
			{author: "peer2", anyEntries: true},
			{author: "peer3", token: true},
		}},
		{head: head{kindChecked, "b", 7}, checked: []checked{
			{verdict: seenFresh, former: []string{"a", "c"}}, {verdict: seenStale}, {verdict: seenOverRate},
		}},
		{head: head{kindHandover, "a", 7}, entries: []byte{1, 2, 3}},
		{head: head{kindSnapshot, "a", 7}, seq: 9, offset: 4096},
		{head: head{kindBookPut, "a", 7}, book: bookMessage{records: []supervisor.BookRecord{
			{Kind: 'k', Subject: "key", Value: "revoke", Stamp: 1 << 62}, {Kind: 'm', Value: "open"}, {Kind: 'f', Subject: "1"},
		}}},
		{head: head{kindBookDone, "a", 7}, book: bookMessage{fault: "the disk is full"}},
		{head: head{kindBookSumsAsk, "a", 7}},
		{head: head{kindBookSums, "a", 7}, book: bookMessage{sums: make([]uint64, recordShelves)}},
		{head: head{kindBookAsk, "a", 7}, book: bookMessage{shelf: 200, after: "key"}},
		{head: head{kindBookPage, "a", 7}, book: bookMessage{
			records: []supervisor.BookRecord{{Kind: 'n', Subject: "1"}},
		}},
		{head: head{kindPage, "a", 7}, seq: 9, offset: 4096, total: 4098, claims: holdings},
	}
}

func TestMessagesDecodeAsEncoded(t *testing.T) {
	for _, want := range examples() {
		got, err := decode(want.encode())
		if err != nil {
			t.Errorf("kind %d: %v", want.kind, err)
			continue
		}
		if len(got.releases) == 0 {
			got.releases = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("kind %d:\n%+v, want\n%+v", want.kind, got, want)
		}
	}
}

// Each text and list of a message about the book has a longest form, and the next longer one is refused.
func TestBookMessagesAreBounded(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	record := func(r supervisor.BookRecord) bookMessage { return bookMessage{records: []supervisor.BookRecord{r}} }
	for name, row := range map[string]struct {
		kind kind
		most int
		body func(n int) bookMessage
	}{
		"records": {kindBookPut, 256, func(n int) bookMessage {
			return bookMessage{records: make([]supervisor.BookRecord, n)}
		}},
		"subject": {kindBookPage, 64, func(n int) bookMessage { return record(supervisor.BookRecord{Subject: text(n)}) }},
		"value":   {kindBookPage, 512, func(n int) bookMessage { return record(supervisor.BookRecord{Value: text(n)}) }},
		"key":     {kindBookAsk, 65, func(n int) bookMessage { return bookMessage{after: text(n)} }},
	} {
		longest := &message{head: head{row.kind, "a", 7}, book: row.body(row.most)}
		if got, err := decode(longest.encode()); err != nil || !reflect.DeepEqual(got, longest) {
			t.Errorf("%s of %d: %v, %v", name, row.most, got, err)
		}
		longer := &message{head: head{row.kind, "a", 7}, book: row.body(row.most + 1)}
		if got, err := decode(longer.encode()); !errors.Is(err, errMessage) {
			t.Errorf("%s of %d: %v, %v", name, row.most+1, got, err)
		}
	}
	fault := &message{head: head{kindBookDone, "a", 7}, book: bookMessage{fault: text(600)}}
	if got, err := decode(fault.encode()); err != nil || got.book.fault != text(512) {
		t.Errorf("a long fault: %v, %v", got, err)
	}
	long := appendText((&message{head: head{kindBookDone, "a", 7}}).head.appendTo(nil), text(513))
	if got, err := decode(long); !errors.Is(err, errMessage) {
		t.Errorf("a fault of 513 bytes: %v, %v", got, err)
	}
}

func TestDecodeRefusesBadMessages(t *testing.T) {
	added := map[kind]int{kindClaim: 1 + len("10.0.0.1:7"), kindVerdict: 1} // bytes that earlier versions do not send
	for _, example := range examples() {
		whole := example.encode()
		if example.kind == kindHeartbeat { // without the last field it is one of an earlier version
			whole = whole[:len(whole)-len(binary.AppendVarint(nil, int64(example.beat.crashAhead)))]
			if got, err := decode(whole); err != nil || got.beat.crash != example.beat.crash || got.beat.crashAhead != 0 {
				t.Errorf("heartbeat of an earlier version: %+v, %v", got, err)
			}
		}
		for n := range whole {
			if n == len(whole)-added[example.kind] {
				continue
			}
			if _, err := decode(whole[:n]); !errors.Is(err, errMessage) && example.kind != kindHandover {
				t.Errorf("kind %d, %d of %d bytes: error %v", example.kind, n, len(whole), err)
			}
		}
	}
	for _, many := range []*message{
		{head: head{kindCheck, "a", 1}, checks: make([]check, maxChecks+1)},
		{head: head{kindChecked, "a", 1}, checked: make([]checked, maxChecks+1)},
		{head: head{kindUpdate, "a", 1}, releases: make([]release, maxChanges+1)},
	} {
		if _, err := decode(many.encode()); !errors.Is(err, errMessage) {
			t.Errorf("kind %d with too many entries: error %v", many.kind, err)
		}
	}
	for kind, bytes := range added {
		example := examples()[slices.IndexFunc(examples(), func(m *message) bool { return m.kind == kind })]
		whole := example.encode()
		got, err := decode(whole[:len(whole)-bytes])
		if err != nil || got.id != example.id || got.claim.Address != "" || got.verdict.InUse {
			t.Errorf("kind %d of an earlier version: %+v, %v", kind, got, err)
		}
	}
	whole := examples()[0].encode()
	later := bytes.Clone(whole)
	later[0]++
	if _, err := decode(later); !errors.Is(err, errVersion) {
		t.Errorf("later version: error %v", err)
	}
	long := message{head: head{kindGoodbye, strings.Repeat("n", maxName+1), 1}}
	if _, err := decode(long.encode()); !errors.Is(err, errMessage) {
		t.Errorf("long name: error %v", err)
	}
	unknown := message{head: head{200, "a", 7}}
	if got, err := decode(unknown.encode()); err != nil || got.from != "a" {
		t.Errorf("unknown kind: %+v, %v", got, err)
	}
}

// TestDecodeLimitsNumbers decodes numbers with which the receiver could not calculate.
func TestDecodeLimitsNumbers(t *testing.T) {
	const most = math.MaxUint64
	for _, m := range []*message{
		{head: head{kindUpdate, "a", 1}, claims: []holding{{"p", 1 << 62}}},
		{head: head{kindVerdict, "a", 1}, verdict: supervisor.ClaimVerdict{Term: most}},
		{head: head{kindPage, "a", 1}, claims: []holding{{"p", most}}},
	} {
		if _, err := decode(m.encode()); !errors.Is(err, errMessage) {
			t.Errorf("kind %d with a long term: %v", m.kind, err)
		}
	}
	for _, tokens := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		verdict := &message{head: head{kindVerdict, "a", 1}, verdict: supervisor.ClaimVerdict{Tokens: tokens}}
		update := &message{head: head{kindUpdate, "a", 1}, releases: []release{{"p", tokens}}}
		v, err := decode(verdict.encode())
		u, also := decode(update.encode())
		if err != nil || also != nil || v.verdict.Tokens != -1 || u.releases[0].tokens != -1 {
			t.Errorf("%v tokens: %+v, %+v, %v, %v", tokens, v, u, err, also)
		}
	}
	beat := &message{head: head{kindHeartbeat, "a", 1}, beat: heartbeat{connections: most, limit: most}}
	if got, err := decode(beat.encode()); err != nil || got.beat.connections != math.MaxInt32 ||
		got.beat.limit != math.MaxInt32 {
		t.Errorf("heartbeat %+v, %v", got, err)
	}
	beat.beat.crashAhead = math.MinInt64
	if got, err := decode(beat.encode()); err != nil || got.beat.crashAhead != -maxSkew {
		t.Errorf("heartbeat %+v, %v", got, err)
	}
	ask := &message{head: head{kindCheck, "a", 1}, checks: []check{{digest: dedup.Digest{Ahead: math.MaxInt64}}}}
	if got, err := decode(ask.encode()); err != nil || got.checks[0].digest.Ahead > 101*365*24*time.Hour {
		t.Errorf("check %+v, %v", got, err)
	}
}

// Arbitrary bytes cause no panic and take memory of a constant times their length at most. A message that decodes also
// encodes again.
func FuzzDecode(f *testing.F) {
	for _, m := range examples() {
		f.Add(m.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(m.encode())
		if err != nil || again.kind != m.kind || len(again.claims) != len(m.claims) {
			t.Errorf("%+v encodes as %+v, %v", m, again, err)
		}
	})
}

func TestVersionsAreComparedByTable(t *testing.T) {
	for _, row := range []struct {
		theirs, own byte
		want        error
	}{{0, 1, errMessage}, {1, 1, nil}, {2, 1, errVersion}, {1, 2, errEarlier}, {0, 2, errMessage}, {255, 2, errVersion}} {
		if got := checkVersion(row.theirs, row.own); !errors.Is(got, row.want) || row.want == nil && got != nil {
			t.Errorf("%d at %d: %v, want %v", row.theirs, row.own, got, row.want)
		}
	}
}
