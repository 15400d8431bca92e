package peerbook

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// txID is the number of the last transaction that wrote.
func (s *store) txID(t *testing.T) (id int) {
	t.Helper()
	if err := s.db.View(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	}); err != nil {
		t.Error(err)
	}
	return id
}

func containsText(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

// bookWriterEnv makes this test binary the process that is killed.
const bookWriterEnv = "P2P_TEST_BOOK_WRITER"

// writeBookForEver changes a book in steps of which each is one transaction: in step n every one of 50 peers is named
// n, and key n%100 is on the allowlist.
func writeBookForEver(path string) {
	book, err := Open(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	t := &testing.T{}
	for n := 1; ; n++ {
		for i := range 50 {
			p := testPeer(t, i)
			p.Name = fmt.Sprint(n)
			book.Add(p)
		}
		if err := book.Allow(testKey(t, n%100)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if n == 1 {
			fmt.Println("writing")
		}
	}
}

// killWriter starts a child with a variable of the environment, see TestMain, and kills it at a random moment after
// the child reports that its first step is in the file.
func killWriter(t *testing.T, env, path string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), env+"="+path)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	n, _ := out.Read(line)
	if string(line[:n]) != "writing\n" {
		t.Fatalf("the child says %q", line[:n])
	}
	timer := time.NewTimer(time.Duration(rand.Int64N(int64(30 * time.Millisecond))))
	<-timer.C
	_ = child.Process.Kill() // SIGKILL
	_ = child.Wait()
}

// kill -9 at any moment leaves the old book or the new one.
func TestBookSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	for round := range 20 {
		killWriter(t, bookWriterEnv, path)
		checkWhole(t, path, round)
	}
}

// checkWhole reads the book of a killed writer: it holds all changes of one step.
func checkWhole(t *testing.T, path string, round int) {
	t.Helper()
	book, err := Open(path)
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer book.Close()
	peers := book.List()
	if len(peers) != 50 {
		t.Fatalf("round %d: %d peers, want 50", round, len(peers))
	}
	step := 0
	if _, err := fmt.Sscan(peers[0].Name, &step); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if p.Name != peers[0].Name {
			t.Fatalf("round %d: a mixture of steps %s and %s", round, p.Name, peers[0].Name)
		}
	}
	if !book.Allowed(testKey(t, step%100)) {
		t.Errorf("round %d: the peers are of step %d, the allowlist is not", round, step)
	}
}

// fullBook is the file of a book with some pages of everything.
func fullBook(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "peers.db")
	book := openBook(t, path)
	for round := range 3 {
		for i := range 100 {
			p := testPeer(t, i)
			p.Name = strings.Repeat("x", 50+round)
			book.Add(p)
		}
		if err := book.Allow(testKey(t, round)); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A damaged file is an error that names it, and is left as it is; it neither crashes the process nor opens as a book
// of something else.
func TestBookRefusesDamage(t *testing.T) {
	good := fullBook(t)
	page := os.Getpagesize()
	cases := map[string][]byte{
		"another file":      []byte(strings.Repeat("This is no peer book. ", 2000)),
		"a short text":      []byte("hello"),
		"zeroes":            make([]byte, len(good)),
		"both metas zeroed": append(make([]byte, 2*page), good[2*page:]...),
	}
	for _, part := range []int{8, 4, 3, 2} {
		cases[fmt.Sprintf("cut to 1/%d", part)] = good[:len(good)/part]
	}
	cases["cut within the metas"] = good[:page+100]
	for name, data := range cases {
		checkDamaged(t, name, data, good, true)
	}
	checkDamaged(t, "cut to 3/4", good[:len(good)*3/4], good, false) // bbolt keeps room at the end
	// Any one page zeroed: either it was of no use, or it is noticed.
	for at := 2 * page; at+page <= len(good); at += page {
		data := bytes.Clone(good)
		clear(data[at : at+page])
		checkDamaged(t, fmt.Sprint("page ", at/page, " zeroed"), data, good, false)
	}
}

func checkDamaged(t *testing.T, name string, data, good []byte, mustFail bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "peers.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	book, err := Open(path)
	if err == nil {
		whole := len(book.List()) == 100
		_ = book.Close()
		if mustFail || !whole {
			t.Errorf("%s: opened, %d peers", name, len(book.List()))
		}
		return
	}
	if !strings.Contains(err.Error(), path) || errors.Is(err, ErrInUse) {
		t.Errorf("%s: %v, want an error that names the file", name, err)
	}
	after, readErr := os.ReadFile(path)
	if readErr != nil || !bytes.Equal(after, data) {
		t.Errorf("%s: the file was changed (%v)", name, readErr)
	}
	if !mustFail {
		return // a fault inside bbolt's Open leaves its map, and with it the lock, until the process ends
	}
	// It is not locked: a restored copy can be opened at once.
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if book, err = Open(path); err != nil {
		t.Errorf("%s: a good copy in its place: %v", name, err)
		return
	}
	_ = book.Close()
}

// An invalid entry is damage, too.
func TestBookRefusesInvalidEntries(t *testing.T) {
	cases := map[string]func(tx *bolt.Tx) error{
		"a peer under another's ID": func(tx *bolt.Tx) error {
			return tx.Bucket(bucketPeers).Put([]byte("x"), []byte(`{"id":"y"}`))
		},
		"a peer that is no JSON": func(tx *bolt.Tx) error { return tx.Bucket(bucketPeers).Put([]byte("x"), []byte(`{`)) },
		"a key of 31 bytes":      func(tx *bolt.Tx) error { return tx.Bucket(bucketAllowed).Put(make([]byte, 31), nil) },
		"a mode that is none": func(tx *bolt.Tx) error {
			return tx.Bucket(bucketState).Put(keyAuthMode, []byte("closed"))
		},
	}
	for name, spoil := range cases {
		path := filepath.Join(t.TempDir(), "peers.db")
		book := openBook(t, path)
		if err := book.Allow(testKey(t, 1)); err != nil {
			t.Fatal(err)
		}
		if err := book.disk.db.Update(spoil); err != nil {
			t.Fatal(err)
		}
		if err := book.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !containsText(err, path) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
}

func TestBookRemovesPermissionsOfOthers(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read and write everything")
	}
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "peers.db")); !errors.Is(err, os.ErrPermission) || !containsText(err, dir) {
		t.Errorf("a directory without write permission: %v", err)
	}
}

// A book that others may read or write, perhaps a copy that was put back, is made private again.
func TestBookIsMadePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	for range 2 {
		book, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v (%v), want 0600", info.Mode(), err)
		}
		if err := book.Close(); err != nil {
			t.Error(err)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// The book knows whether the last transport on it ended gracefully.
func TestBookKnowsACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.db")
	for step, want := range []bool{false, true, false} {
		book, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if crashed, err := book.Begin(); err != nil || crashed != want {
			t.Errorf("run %d: crashed %v (%v), want %v", step, crashed, err, want)
		}
		if step == 1 { // only this one ends well
			if err := book.End(); err != nil {
				t.Error(err)
			}
		}
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}
}
