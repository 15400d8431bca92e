package dedup

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// saved is a set of 100 ids, one a second, saved at 100 s.
func saved(t *testing.T) (path string) {
	t.Helper()
	d := newDedup(t, 10_000, 1000)
	for i := range 100 {
		expect(t, d, "a", fmt.Sprint(i), "x", time.Duration(i)*time.Second, actors.Fresh)
	}
	path = filepath.Join(t.TempDir(), "seen")
	at := dedupStart.Add(100 * time.Second)
	if err := d.Save(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDedupFileRestoresTheSet(t *testing.T) {
	path := saved(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	// The process starts 50 s later, with another epoch.
	later := dedupStart.Add(150 * time.Second)
	d, err := New(testTTL, 10_000, 1000, later, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := d.Load(path, later, later); err != nil || !found {
		t.Fatalf("load: %v, %v", found, err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("the file is still there: it must not be believed twice")
	}
	if n := d.Len(); n != 100 {
		t.Errorf("%d entries, want 100", n)
	}
	for i := range 100 {
		expect(t, d, "a", fmt.Sprint(i), "x", 150*time.Second, actors.Duplicate)
	}
	expect(t, d, "b", "7", "y", 150*time.Second, actors.Fresh)
	// Ages continue while the process is down: the last id, of 99 s, is known until 399 s, the first until 300 s.
	expect(t, d, "a", "99", "x", 398*time.Second, actors.Duplicate)
	expect(t, d, "a", "99", "x", 400*time.Second, actors.Fresh)
	expect(t, d, "a", "0", "x", 301*time.Second, actors.Fresh)
	if found, err := d.Load(path, later, later); found || err != nil {
		t.Errorf("loading what is not there: %v, %v", found, err)
	}
}

func TestDedupFileDropsOldEntries(t *testing.T) {
	path := saved(t)
	later := dedupStart.Add(time.Hour)
	d := newDedup(t, 10_000, 1000)
	if found, err := d.Load(path, later, later); err != nil || !found || d.Len() != 0 {
		t.Errorf("load: %v, %v, %d entries; want none of an hour ago", found, err, d.Len())
	}
}

// A clock that is set back while the process is down makes no entry younger.
func TestDedupFileSurvivesClockSetBack(t *testing.T) {
	path := saved(t)
	d := newDedup(t, 10_000, 1000)
	now := dedupStart.Add(100 * time.Second)
	if found, err := d.Load(path, now, dedupStart.Add(-time.Hour)); err != nil || !found || d.Len() != 100 {
		t.Errorf("load: %v, %v, %d entries", found, err, d.Len())
	}
	expect(t, d, "a", "0", "x", 299*time.Second, actors.Duplicate)
	expect(t, d, "a", "0", "x", 301*time.Second, actors.Fresh)
}

func TestDedupFileAdaptsToAnotherTTL(t *testing.T) {
	path := saved(t)
	now := dedupStart.Add(100 * time.Second)
	d, err := New(30*time.Second, 10_000, 1000, now, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load(path, now, now); err != nil {
		t.Fatal(err)
	}
	if n := d.Len(); n < 30 || n > 31 {
		t.Errorf("%d entries under a TTL of 30 s, want those of the last 30 s", n)
	}
}

func TestDedupFileRejectsDamage(t *testing.T) {
	good, err := os.ReadFile(saved(t))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"empty":           {},
		"cut in half":     good[:len(good)/2],
		"cut by one byte": good[:len(good)-1],
		"one byte more":   append(bytes.Clone(good), 0),
		"of another kind": []byte("This is not a dedup set at all, but it is long enough to hold a header."),
		"zeroed":          make([]byte, len(good)),
		"huge count":      append(append(bytes.Clone(good[:32]), bytes.Repeat([]byte{0xff}, 8)...), good[40:]...),
	}
	for i := range 50 {
		flipped := bytes.Clone(good)
		flipped[i*len(good)/50] ^= 1
		cases[fmt.Sprint("bit flipped at ", i*len(good)/50)] = flipped
	}
	for name, data := range cases {
		path := filepath.Join(t.TempDir(), "seen")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		d := newDedup(t, 10_000, 1000)
		found, err := d.Load(path, dedupStart, dedupStart)
		if err == nil || found || d.Len() != 0 {
			t.Errorf("%s: %v, %v, %d entries", name, found, err, d.Len())
		}
	}
}

// Save writes the whole file or none, and leaves no temporary file.
func TestDedupFileFailedSaveLeavesNoFile(t *testing.T) {
	d := newDedup(t, 100, 10)
	dir := t.TempDir()
	if err := d.Save(filepath.Join(dir, "missing", "seen"), dedupStart, dedupStart); err == nil {
		t.Error("saved into a directory that is not there")
	}
	target := filepath.Join(dir, "seen")
	if err := os.MkdirAll(filepath.Join(target, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(target, dedupStart, dedupStart); err == nil {
		t.Error("saved over a directory")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries in the directory, want only what was in the way", len(entries))
	}
}

// Each run has its own secret. Entries of earlier runs stay known under their secrets through several restarts. After
// too many restarts, messages that only the forgotten run could know are stale.
func TestDedupFileKeepsSeveralRuns(t *testing.T) {
	d := newDedup(t, 1000, 1000)
	secrets := map[[16]byte]bool{d.own.master: true}
	for run := range maxInherited {
		at := time.Duration(run) * time.Second
		expect(t, d, "a", fmt.Sprint(run), "x", at, actors.Fresh)
		d = restarted(t, d, dedupStart.Add(at))
		secrets[d.own.master] = true
		for old := range run + 1 {
			expect(t, d, "a", fmt.Sprint(old), "y", at, actors.Duplicate) // the same id from the same peer
			expect(t, d, "b", fmt.Sprint(old), "x", at, actors.Duplicate) // the same message through another
		}
		if got := d.For("b").Known(seenMessage(fmt.Sprint(run), "z"), dedupStart.Add(at)); got != actors.Fresh {
			t.Errorf("run %d: another message with the id: %v, want Fresh", run, got)
		}
	}
	if len(secrets) != maxInherited+1 {
		t.Errorf("%d runs had %d secrets", maxInherited+1, len(secrets))
	}
	ended := maxInherited * time.Second
	d = restarted(t, d, dedupStart.Add(ended)) // the first run is forgotten: it ended at 0 s
	if n := len(d.earlier()); n > maxInherited {
		t.Errorf("%d runs are kept", n)
	}
	msg := seenMessage("0", "x")
	msg.Timestamp = dedupStart.Add(-time.Millisecond)
	if got := d.For("a").Seen(msg, dedupStart.Add(ended)); got != actors.Stale {
		t.Errorf("a message that only the forgotten run could know: %v, want Stale", got)
	}
	expect(t, d, "a", "1", "x", ended, actors.Duplicate)
	expect(t, d, "a", "new", "x", ended, actors.Fresh)
	for rotation := range 2 {
		d.Rotate(dedupStart.Add(ended + time.Duration(rotation+1)*testTTL))
	}
	if n := len(d.earlier()); n != 0 {
		t.Errorf("%d earlier runs are kept after everything has expired", n)
	}
}

// A peer could recover the keys in a file of the previous version: it is not used, and not reported as damaged.
func TestDedupFileRejectsTheEarlierVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	if err := os.WriteFile(path, []byte(earlierMagic+strings.Repeat("x", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDedup(t, 1000, 1000)
	found, err := d.Load(path, dedupStart, dedupStart)
	if found || err == nil {
		t.Fatalf("loaded: %v, %v", found, err)
	}
	if text := err.Error(); !strings.Contains(text, "earlier version") || strings.Contains(text, "damaged") {
		t.Errorf("loaded: %v, %v", found, err)
	}
}
