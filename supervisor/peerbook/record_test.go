package peerbook

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func enter(t *testing.T, b *Book, c Change, at time.Time) []Record {
	t.Helper()
	list, err := b.Enter(c, at)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func merge(t *testing.T, b *Book, list ...Record) int {
	t.Helper()
	n, err := b.Merge(list, noon)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Of two changes the later wins, whichever comes first. Of two with one stamp, the revocation does.
func TestMergeKeepsTheLaterRecord(t *testing.T) {
	key := testKey(t, 1)
	for _, tt := range []struct {
		name          string
		allow, revoke time.Time
		revoked       bool
	}{
		{"allowed later", noon.Add(time.Second), noon, false},
		{"revoked later", noon, noon.Add(time.Second), true},
		{"at once", noon, noon, true},
	} {
		one, two := New(), New()
		allow := enter(t, one, Change{Allow: keysOf(key)}, tt.allow)
		revoke := enter(t, two, Change{Revoke: keysOf(key)}, tt.revoke)
		merge(t, one, revoke...)
		merge(t, two, allow...)
		for number, b := range []*Book{one, two} {
			if b.Revoked(key) != tt.revoked || b.Allowed(key) == tt.revoked {
				t.Errorf("%s: book %d: revoked %v, allowed %v", tt.name, number, b.Revoked(key), b.Allowed(key))
			}
		}
		if one.RecordSums() != two.RecordSums() || merge(t, one, append(allow, revoke...)...) != 0 {
			t.Errorf("%s: the books differ, or take an old record", tt.name)
		}
	}
}

// A change is stamped later than all that the book knows, even if the clock of its member is behind.
func TestEnterIsLaterThanAllKnownRecords(t *testing.T) {
	b, key := New(), testKey(t, 1)
	ahead := enter(t, New(), Change{Allow: keysOf(key)}, noon.Add(9*time.Minute))
	merge(t, b, ahead...)
	list := enter(t, b, Change{Revoke: keysOf(key)}, noon.Add(-time.Hour))
	if list[0].Stamp != ahead[0].Stamp+1 || !b.Revoked(key) {
		t.Errorf("stamp %d after %d, revoked %v", list[0].Stamp, ahead[0].Stamp, b.Revoked(key))
	}
}

func TestMergeRefusesRecords(t *testing.T) {
	b := New()
	good := Record{Kind: RecordMode, Value: "allowlist", Stamp: 5}
	for name, r := range map[string]Record{
		"a wrong date":   {Kind: RecordMode, Value: "open", Stamp: uint64(noon.Add(11 * time.Minute).UnixNano())},
		"a short key":    {Kind: RecordKey, Subject: "x", Value: valueAllow},
		"a null key":     {Kind: RecordKey, Subject: string(make([]byte, 32)), Value: valueAllow},
		"no mode":        {Kind: RecordMode, Value: "closed"},
		"no alias":       {Kind: RecordAlias, Subject: "1", Value: "a\nb"},
		"no time":        {Kind: RecordSuspend, Subject: "1", Value: "soon"},
		"a long subject": {Kind: RecordSuspend, Subject: string(make([]byte, 65))},
		"another kind":   {Kind: 'x'},
	} {
		n, err := b.Merge([]Record{r}, noon)
		if n != 0 || err == nil || (name == "a wrong date") != errors.Is(err, ErrClock) {
			t.Errorf("%s: %d entered, %v", name, n, err)
		}
	}
	n, err := b.Merge([]Record{{Kind: 'x'}, good}, noon)
	if n != 1 || err == nil || b.AuthMode() != AuthAllowlist {
		t.Errorf("%d entered (%v), mode %v: a malformed record must not hold up others", n, err, b.AuthMode())
	}
}

// A change that other members could not merge is refused: they would fetch it again without end.
func TestEnterRefusesRecordsThatOthersRefuse(t *testing.T) {
	longest := string(make([]byte, maxPeerID))
	long, later := longest+"x", time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]Change{
		"an alias of a long ID":       {Alias: map[string]string{long: "bob"}},
		"the end of such an alias":    {Alias: map[string]string{long: ""}},
		"a suspension of a long ID":   {Suspend: map[string]time.Time{long: noon}},
		"a suspension for 8000 years": {Suspend: map[string]time.Time{"1": later}},
		"a long ID to forget":         {Forget: []string{long}},
	} {
		b := New()
		if list, err := b.Enter(c, noon); err == nil || list != nil || b.RecordDigest() != New().RecordDigest() {
			t.Errorf("%s: %v, %d records", name, err, len(list))
		}
	}
	one, two := New(), New()
	list := enter(t, one, Change{
		Alias: map[string]string{longest: "bob"}, Suspend: map[string]time.Time{longest: later.Add(-1)},
		Forget: []string{longest},
	}, noon)
	if n := merge(t, two, list...); n != 3 || one.RecordSums() != two.RecordSums() {
		t.Errorf("%d of 3 records are merged", n)
	}
}

// Two members give one alias to two peers during a cut: both keep that of the later change.
func TestMergeKeepsOneOwnerOfAnAlias(t *testing.T) {
	one, two := New(), New()
	first := enter(t, one, Change{Alias: map[string]string{"1": "bob"}}, noon)
	second := enter(t, two, Change{Alias: map[string]string{"2": "bob"}}, noon.Add(time.Second))
	merge(t, one, second...)
	merge(t, two, first...)
	for number, b := range []*Book{one, two} {
		if b.AliasOwner("bob") != "2" || b.Alias("1") != "" {
			t.Errorf("book %d: bob is %q, the alias of 1 is %q", number, b.AliasOwner("bob"), b.Alias("1"))
		}
	}
	if one.RecordSums() != two.RecordSums() {
		t.Error("the books differ")
	}
}

// Two members change one subject in the same nanosecond: both keep the same change, the stricter one of a key or mode.
func TestMergeDecidesTiesAlike(t *testing.T) {
	open, allowlist := AuthOpen, AuthAllowlist
	for name, tt := range map[string]struct {
		loses, wins Change
		won         func(b *Book) bool
	}{
		"mode": {Change{Mode: &open}, Change{Mode: &allowlist}, func(b *Book) bool { return b.AuthMode() == AuthAllowlist }},
		"alias of two peers": {
			Change{Alias: map[string]string{"1": "bob"}},
			Change{Alias: map[string]string{"2": "bob"}},
			func(b *Book) bool { return b.AliasOwner("bob") == "2" && b.Alias("1") == "" },
		},
		"two aliases of a peer": {
			Change{Alias: map[string]string{"1": "alice"}},
			Change{Alias: map[string]string{"1": "bob"}},
			func(b *Book) bool { return b.Alias("1") == "bob" && b.AliasOwner("alice") == "" },
		},
		"suspension": {
			Change{Suspend: map[string]time.Time{"1": noon.Add(time.Hour)}},
			Change{Suspend: map[string]time.Time{"1": noon.Add(2 * time.Hour)}},
			func(b *Book) bool { return b.SuspendedUntil("1", noon).Equal(noon.Add(2 * time.Hour)) },
		},
	} {
		one, two := New(), New()
		loses, wins := enter(t, one, tt.loses, noon), enter(t, two, tt.wins, noon)
		if loses[0].Stamp != wins[0].Stamp {
			t.Fatalf("%s: the stamps differ", name)
		}
		merge(t, one, wins...)
		merge(t, two, loses...)
		if !tt.won(one) || !tt.won(two) || one.RecordSums() != two.RecordSums() {
			t.Errorf("%s: kept by the books: %v and %v, equal records: %v", name, tt.won(one), tt.won(two),
				one.RecordSums() == two.RecordSums())
		}
	}
}

// A page of a shelf begins behind the last record of the page before.
func TestRecordsComeInPages(t *testing.T) {
	b, aliases := New(), make(map[string]string)
	for i := range 1000 {
		aliases[fmt.Sprint(i)] = fmt.Sprint("alias ", i)
	}
	enter(t, b, Change{Alias: aliases}, noon)
	total := 0
	for shelf := range RecordShelves {
		for after := ""; ; {
			page := b.Records(byte(shelf), after, 1)
			if len(page) == 0 {
				break
			}
			if page[0].Key() <= after {
				t.Fatalf("shelf %d: %q behind %q", shelf, page[0].Key(), after)
			}
			after = page[0].Key()
			total++
		}
	}
	if total != len(aliases) {
		t.Errorf("%d records, want %d", total, len(aliases))
	}
}

// Records survive a restart. A change by a release without records wins against the record before it, and keeps its
// stamp in later restarts.
func TestRecordsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	book, key, until := openBook(t, path), testKey(t, 1), time.Now().Add(time.Hour)
	mode := AuthAllowlist
	enter(t, book, Change{
		Allow: keysOf(key), Mode: &mode, Alias: map[string]string{"1": "bob"}, Suspend: map[string]time.Time{"1": until},
	}, noon)
	reopen := func() {
		t.Helper()
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
		book = openBook(t, path)
	}
	sums := book.RecordSums()
	reopen()
	if book.RecordSums() != sums {
		t.Error("records are lost")
	}
	if err := book.disk.db.Update(func(tx *bolt.Tx) error { // an earlier release revokes the key and removes the alias
		return errors.Join(tx.Bucket(bucketAllowed).Delete(key[:]), tx.Bucket(bucketRevoked).Put(key[:], nil),
			tx.Bucket(bucketAliases).Delete([]byte("1")))
	}); err != nil {
		t.Fatal(err)
	}
	reopen()
	sums = book.RecordSums()
	r, _ := book.records.get(Record{Kind: RecordKey, Subject: string(key[:])}.Key())
	if r.Value != valueRevoke || r.Stamp <= uint64(noon.UnixNano()) || !book.Revoked(key) {
		t.Errorf("the record is %+v", r)
	}
	reopen()
	if book.RecordSums() != sums || book.Alias("1") != "" {
		t.Error("another restart has made other records")
	}
}
