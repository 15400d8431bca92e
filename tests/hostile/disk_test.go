package hostile

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
)

// smallDisk mounts a disk of a few kilobytes until the test ends. It skips the test without root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := nodetest.NewHome(t)
	if os.Geteuid() != 0 {
		t.Skip("a small disk is mounted by root only")
	}
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "tmpfs", dir)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v: %s", dir, err, out)
		}
	})
	return dir
}

// fill fills a disk to its last byte with one file and returns its path.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	for _, size := range []int{4096, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return path
}

// TestFullDiskLeavesNoHalfIdentity: on a full disk `node id` fails and leaves no file.
func TestFullDiskLeavesNoHalfIdentity(t *testing.T) {
	t.Parallel()
	home := smallDisk(t, "16k")
	filler := fill(t, home)
	code, stderr := run(t, home, "id")
	if code != 1 || !strings.Contains(stderr, "no space left") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, want 1 and one line that says why:\n%s", code, stderr)
	}
	must(t, filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != filler {
			t.Errorf("%s is left", path)
		}
		return err
	}))
	must(t, os.Remove(filler))
	if code, stderr = run(t, home, "id"); code != 0 {
		t.Errorf("with room again: exit code %d:\n%s", code, stderr)
	}
}

// TestFullDiskFailsWritesOnly: on a full disk a command that writes fails with an error that names the book and changes
// nothing. The node goes on, and writes succeed when there is room. After a kill the book holds the confirmed changes
// only.
func TestFullDiskFailsWritesOnly(t *testing.T) {
	t.Parallel()
	home := smallDisk(t, "512k")
	p := launch(t, home)
	filler := fill(t, home)
	confirmed := make(map[string]bool)
	allow := func() (ok bool, stderr string) {
		keys := []string{"allow"}
		for range 40 { // enough entries for a new page
			keys = append(keys, identity(t, "listed").PublicKey)
		}
		code, stderr := run(t, home, keys...)
		for _, key := range keys[1:] {
			confirmed[key] = code == 0
		}
		if code != 0 && code != 1 {
			t.Fatalf("exit code %d:\n%s", code, stderr)
		}
		return code == 0, stderr
	}
	ok, stderr := allow()
	for range 50 { // the file's free pages are used first
		if !ok {
			break
		}
		ok, stderr = allow()
	}
	if ok || !strings.Contains(stderr, "no space left") || !oneLineNames(stderr, bookOf(home)) {
		t.Errorf("an order on a full disk: done %t, want one line that names the file and says why:\n%s", ok, stderr)
	}
	must(t, os.Remove(filler))
	if ok, stderr = allow(); !ok {
		t.Errorf("with room again:\n%s", stderr)
	}
	if code, stderr := run(t, home, "status"); code != 0 {
		t.Errorf("the node does not answer: %s", stderr)
	}
	p.Kill()
	book, err := supervisor.OpenPeerRegistry(bookOf(home))
	must(t, err)
	defer book.Close()
	for text, want := range confirmed {
		key, err := crypto.ParsePublicKey(text)
		must(t, err)
		if book.Allowed(key) != want {
			t.Errorf("a key that was confirmed %t is in the book %t", want, !want)
		}
	}
}

// TestHalfABookEndsTheStart: the start with a truncated book fails with an error that names it, and keeps its bytes.
func TestHalfABookEndsTheStart(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	p := launch(t, home)
	if code, stderr := run(t, home, "allow", identity(t, "listed").PublicKey); code != 0 {
		t.Fatal(stderr)
	}
	p.Kill()
	good, err := os.ReadFile(bookOf(home))
	must(t, err)
	for _, size := range []int{1, len(good) / 4, len(good) / 2} {
		bad := good[:size]
		must(t, os.WriteFile(bookOf(home), bad, 0o600))
		code, stderr := run(t, home, "run", "--listen", "127.0.0.1:0", "--admin", "", "--log-level", "error")
		now, err := os.ReadFile(bookOf(home))
		must(t, err)
		if code != 1 || !oneLineNames(stderr, bookOf(home)) || !bytes.Equal(now, bad) {
			t.Errorf("cut to %d of %d bytes: exit code %d, %d bytes now, want 1, a line with its name, the same bytes:\n%s",
				size, len(good), code, len(now), stderr)
		}
	}
	must(t, os.WriteFile(bookOf(home), good, 0o600))
	launch(t, home)
}
