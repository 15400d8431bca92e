package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
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
	if err := d.save(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDedupFileRoundTrip(t *testing.T) {
	path := saved(t)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	// The process comes back 50 s later, with another start.
	later := dedupStart.Add(150 * time.Second)
	d, err := NewMessageDeduplicator(testTTL, 10_000, 1000, later, bytes.NewReader(make([]byte, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if found, err := d.load(path, later, later); err != nil || !found {
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
	// Ages went on while the process was away: the last id, of 99 s, is known until 399 s, the first until 300 s.
	expect(t, d, "a", "99", "x", 398*time.Second, actors.Duplicate)
	expect(t, d, "a", "99", "x", 400*time.Second, actors.Fresh)
	expect(t, d, "a", "0", "x", 301*time.Second, actors.Fresh)
	if found, err := d.load(path, later, later); found || err != nil {
		t.Errorf("loading what is not there: %v, %v", found, err)
	}
}

func TestDedupFileTooOld(t *testing.T) {
	path := saved(t)
	later := dedupStart.Add(time.Hour)
	d := newDedup(t, 10_000, 1000)
	if found, err := d.load(path, later, later); err != nil || !found || d.Len() != 0 {
		t.Errorf("load: %v, %v, %d entries; want none of an hour ago", found, err, d.Len())
	}
}

// A clock that was set back while the process was away makes nothing younger than it was.
func TestDedupFileClockSetBack(t *testing.T) {
	path := saved(t)
	d := newDedup(t, 10_000, 1000)
	now := dedupStart.Add(100 * time.Second)
	if found, err := d.load(path, now, dedupStart.Add(-time.Hour)); err != nil || !found || d.Len() != 100 {
		t.Errorf("load: %v, %v, %d entries", found, err, d.Len())
	}
	expect(t, d, "a", "0", "x", 299*time.Second, actors.Duplicate)
	expect(t, d, "a", "0", "x", 301*time.Second, actors.Fresh)
}

func TestDedupFileOtherTTL(t *testing.T) {
	path := saved(t)
	now := dedupStart.Add(100 * time.Second)
	d, err := NewMessageDeduplicator(30*time.Second, 10_000, 1000, now, bytes.NewReader(make([]byte, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.load(path, now, now); err != nil {
		t.Fatal(err)
	}
	if n := d.Len(); n < 30 || n > 31 {
		t.Errorf("%d entries under a TTL of 30 s, want those of the last 30 s", n)
	}
}

func TestDedupFileDamaged(t *testing.T) {
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
		found, err := d.load(path, dedupStart, dedupStart)
		if err == nil || found || d.Len() != 0 {
			t.Errorf("%s: %v, %v, %d entries", name, found, err, d.Len())
		}
	}
}

// Saving is whole or not at all, and leaves nothing behind.
func TestDedupFileFailedSave(t *testing.T) {
	d := newDedup(t, 100, 10)
	dir := t.TempDir()
	if err := d.save(filepath.Join(dir, "missing", "seen"), dedupStart, dedupStart); err == nil {
		t.Error("saved into a directory that is not there")
	}
	target := filepath.Join(dir, "seen")
	if err := os.MkdirAll(filepath.Join(target, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.save(target, dedupStart, dedupStart); err == nil {
		t.Error("saved over a directory")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries in the directory, want only what was in the way", len(entries))
	}
}
