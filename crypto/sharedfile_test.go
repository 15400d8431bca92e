//go:build unix

package crypto

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// An identity file of another name serves several managers, and exists once.
func TestNodeManagersShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "shared.json")
	first, err := NewNodeManagerFile(path)
	if err != nil || first.HasIdentity() {
		t.Fatalf("before the file exists: %v, %v", first, err)
	}
	late, err := NewNodeManagerFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Generate("node", RoleDual); err != nil {
		t.Fatal(err)
	}
	if err := late.Generate("other", RoleDual); !errors.Is(err, ErrIdentityExists) {
		t.Errorf("a second identity: %v", err)
	}
	second, err := NewNodeManagerFile(path)
	if err != nil || second.Identity() != first.Identity() || late.Identity() != first.Identity() {
		t.Errorf("the managers have %v, %v and %v, %v", first.Identity(), second.Identity(), late.Identity(), err)
	}
	assertFiles(t, filepath.Dir(path), "shared.json")
	if err := second.Delete(); err != nil {
		t.Fatal(err)
	}
	assertFiles(t, filepath.Dir(path))
	if _, err := NewNodeManagerFile(""); err == nil {
		t.Error("an empty name is accepted")
	}
}

// A shared file may be readable for a group of this process, and no other.
func TestSharedKeyFileMayBelongToAGroup(t *testing.T) {
	dir := t.TempDir()
	mustGenerate(t, dir)
	path := filepath.Join(dir, keyFileName)
	for _, tt := range []struct {
		mode     fs.FileMode
		uid, gid int
		refused  bool
	}{
		{0o440, -1, os.Getegid(), false},
		{0o600, -1, os.Getegid(), false},
		{0o444, -1, os.Getegid(), true},
		{0o660, -1, os.Getegid(), true},
		{0o440, -1, 54321, true},
		{0o440, 54321, os.Getegid(), true},
	} {
		if os.Geteuid() != 0 && (tt.uid >= 0 || tt.gid != os.Getegid()) {
			continue // only root can give files away
		}
		if err := errors.Join(os.Chown(path, tt.uid, tt.gid), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := NewNodeManagerFile(path); (err != nil) != tt.refused {
			t.Errorf("mode %04o, user %d, group %d: %v, want refused: %v", tt.mode, tt.uid, tt.gid, err, tt.refused)
		}
	}
}
