//go:build unix

package crypto

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestIdentitySurvivesUntilDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	m := mustManager(t, dir)
	if m.HasIdentity() || m.Identity() != (NodeIdentity{}) || m.PublicKey() != (PublicKey{}) {
		t.Error("a new manager has an identity")
	}
	if _, err := m.SharedSecret(PublicKey{9}); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
	if err := m.Delete(); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
	if err := m.Generate("Näme \"x\"", RoleController); err != nil {
		t.Fatal(err)
	}
	first := m.Identity()
	if err := m.Generate("other", RoleDual); !errors.Is(err, ErrIdentityExists) || m.Identity() != first {
		t.Error(err, m.Identity())
	}
	again := mustManager(t, dir)
	if again.Identity() != first || again.PublicKey() != m.PublicKey() || !again.private.Equal(m.private) {
		t.Errorf("loaded %+v, want %+v", again.Identity(), first)
	}
	if err := m.Delete(); err != nil || m.HasIdentity() {
		t.Error(err)
	}
	assertFiles(t, dir)
	if mustManager(t, dir).HasIdentity() {
		t.Error("the identity exists after Delete")
	}
	if err := m.Generate("next", RoleDual); err != nil || m.Identity().ID == first.ID {
		t.Error(err, m.Identity())
	}
}

func TestKeyFileRefusesOpenModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	mustGenerate(t, dir)
	path := filepath.Join(dir, keyFileName)
	for name, want := range map[string]fs.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o601, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := NewNodeManagerAt(dir)
		if err == nil || !strings.HasSuffix(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	mustManager(t, dir)
}

func TestKeyFileRefusesAnotherOwner(t *testing.T) {
	dir := t.TempDir()
	mustGenerate(t, dir)
	path := filepath.Join(dir, keyFileName)
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Skip("only root can give files away:", err)
	}
	if _, err := NewNodeManagerAt(dir); err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Error(err)
	}
}

// TestDamagedKeyFileIsRefusedAndKept truncates and changes the file. Load and Generate must return an error that
// names the file, and leave it unchanged.
func TestDamagedKeyFileIsRefusedAndKept(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	m := mustGenerate(t, dir)
	path := filepath.Join(dir, keyFileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{
		"zeroes":      strings.Repeat("\x00", len(whole)),
		"null":        "null",
		"object":      "{}",
		"twice":       string(whole) + string(whole),
		"role":        strings.Replace(string(whole), "dual", "boss", 1),
		"id":          strings.Replace(string(whole), m.Identity().ID, strings.Repeat("0", 32), 1),
		"large":       string(whole) + strings.Repeat(" ", keyFileMaxSize),
		"another key": strings.Replace(string(whole), m.Identity().PublicKey, mustGenerate(t, other).Identity().PublicKey, 1),
	}
	for _, cut := range []int{0, 1, len(whole) / 2, len(whole) - 40, len(whole) - 2} {
		damaged["cut "+string(whole[:cut])] = string(whole[:cut])
	}
	for name, content := range damaged {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		late := &NodeManager{file: path} // a manager that was loaded before the file existed
		_, err := NewNodeManagerAt(dir)
		for _, err := range []error{err, late.Generate("x", RoleDual)} {
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged") ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if now, _ := os.ReadFile(path); string(now) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestKeyFileRefusesFIFOs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, keyFileName)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := NewNodeManagerAt(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

// TestGenerateRemovesCrashLeftovers covers both states that kill -9 during Generate leaves: a temporary file partially
// written, or complete and linked but not yet removed.
func TestGenerateRemovesCrashLeftovers(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, keyFileName+keyFileTemp+"123")
	if err := os.WriteFile(half, []byte(`{"id":"6b4c`), 0o600); err != nil {
		t.Fatal(err)
	}
	if mustManager(t, dir).HasIdentity() {
		t.Error("a partially written file was loaded as an identity")
	}
	m := mustGenerate(t, dir)
	assertFiles(t, dir, keyFileName)
	if err := os.Link(filepath.Join(dir, keyFileName), half); err != nil {
		t.Fatal(err)
	}
	if mustManager(t, dir).Identity() != m.Identity() {
		t.Error("a temporary file beside the identity changes the identity")
	}
	if err := m.Delete(); err != nil {
		t.Fatal(err)
	}
	assertFiles(t, dir) // the temporary file contains the key
}

func TestConcurrentGenerateCreatesOneIdentity(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "data")
		var managers [8]*NodeManager
		var errs [8]error
		var wg sync.WaitGroup
		for i := range managers {
			managers[i] = mustManager(t, dir)
		}
		for i := range managers {
			wg.Go(func() { errs[i] = managers[i].Generate("x", RoleDual) })
		}
		wg.Wait()
		kept, made := mustManager(t, dir).Identity(), 0
		for i, m := range managers {
			if errs[i] == nil {
				made++
			} else if !errors.Is(errs[i], ErrIdentityExists) {
				t.Error(errs[i])
			}
			if m.Identity() != kept {
				t.Errorf("manager %d has %s, the disk has %s", i, m.Identity().ID, kept.ID)
			}
		}
		if made != 1 {
			t.Errorf("%d managers created an identity, want 1", made)
		}
		assertFiles(t, dir, keyFileName)
	}
}

func TestDefaultDataDirFollowsXDG(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_DATA_HOME", base)
	if got := DefaultDataDir(); got != filepath.Join(base, "go-p2p") {
		t.Error(got)
	}
	m, err := NewNodeManager()
	if err != nil || m.Generate("x", RoleDual) != nil {
		t.Fatal(err)
	}
	assertFiles(t, filepath.Join(base, "go-p2p"), keyFileName)
	t.Setenv("XDG_DATA_HOME", "relative")
	if got := DefaultDataDir(); !filepath.IsAbs(got) || filepath.Base(got) != "go-p2p" {
		t.Error(got)
	}
	if _, err := NewNodeManagerAt(""); err == nil {
		t.Error("an empty directory name was accepted")
	}
}

func assertFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}
