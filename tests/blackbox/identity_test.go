package blackbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// filesIn lists the regular files below a folder.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// requirePrivate requires that no other user may read or write a file below a folder.
func requirePrivate(t *testing.T, dir string) {
	t.Helper()
	files := filesIn(t, dir)
	if len(files) == 0 {
		t.Errorf("no file in %s", dir)
	}
	for _, path := range files {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600 (%v)", path, info.Mode(), err)
		}
	}
}

func TestIdentityIsCreatedOnce(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	first := in(t, home, "id", "--output", "json")
	first.want(t, 0)
	first.says(t, "created a new identity in "+filepath.Join(home, "data"))
	if again := in(t, home, "id"); again.stderr != "" {
		t.Errorf("the second use says %q", again.stderr)
	}
	requirePrivate(t, filepath.Join(home, "data"))

	dec := json.NewDecoder(strings.NewReader(first.stdout))
	var keys []string
	for depth, key := 0, true; ; key = !key {
		token, err := dec.Token()
		if err != nil {
			break
		}
		if delim, ok := token.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '}': -1}[delim]
			key = false
			continue
		}
		if key && depth == 1 {
			keys = append(keys, token.(string))
		}
	}
	if got, want := strings.Join(keys, " "), "id name publicKey createdAt role"; got != want {
		t.Errorf("keys %q, want %q", got, want)
	}
	var id refpeer.Public
	first.decode(t, &id)
	key, err := base64.StdEncoding.Strict().DecodeString(id.PublicKey)
	if err != nil || len(key) != 32 || refpeer.NodeID(key) != id.ID {
		t.Errorf("id %s is not the node ID of publicKey %q (%v)", id.ID, id.PublicKey, err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	if id.Name != host || id.Role != "dual" || time.Since(id.CreatedAt).Abs() > time.Minute {
		t.Errorf("identity %+v, want the host's name %q, role dual, made now", id, host)
	}
	if again := in(t, home, "id", "--output", "json"); again.stdout != first.stdout {
		t.Errorf("the second time it is %s, was %s", again.stdout, first.stdout)
	}
	n := startIn(t, home)
	if n.ID() != id.ID || n.Hello.Str("publicKey") != id.PublicKey {
		t.Errorf("the node runs as %s, its identity is %s", n.Hello.Line, first.stdout)
	}
}

// TestNameAndRoleAreOfTheFirstUse: other values at a later start change nothing.
func TestNameAndRoleAreOfTheFirstUse(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	for _, args := range [][]string{{"--name", "alpha", "--role", "worker"}, {"--name", "omega", "--role", "controller"}} {
		n := startIn(t, home, args...)
		if role := n.Status().Identity["role"]; n.Hello.Str("name") != "alpha" || role != "worker" {
			t.Errorf("started with %q it is %q, a %v; want alpha, a worker", args, n.Hello.Str("name"), role)
		}
		n.Stop()
	}
}

// TestDataIsPrivate makes a node write all its files, peer book and allowlist included.
func TestDataIsPrivate(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	b.ok("connect", a.Address())
	meet(a, b)
	b.ok("allow", a.Hello.Str("publicKey"))
	requirePrivate(t, b.Data())
	b.Stop()
	requirePrivate(t, b.Data())
}

// TestDamagedIdentityEndsTheStart damages each file of the first use, in several ways.
func TestDamagedIdentityEndsTheStart(t *testing.T) {
	t.Parallel()
	damages := map[string]func([]byte) []byte{
		"cut in half": func(b []byte) []byte { return b[:len(b)/2] },
		"emptied":     func([]byte) []byte { return []byte{} },
		"garbage":     func(b []byte) []byte { return bytes.Repeat([]byte{0xff}, len(b)) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			home := nodetest.NewHome(t)
			in(t, home, "id").want(t, 0)
			damaged := 0
			for _, path := range filesIn(t, filepath.Join(home, "data")) {
				good, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if len(good) == 0 {
					continue // a lock, not an identity
				}
				damaged++
				bad := damage(good)
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, args := range [][]string{{"id"}, {"run", "--listen", "127.0.0.1:0", "--admin", "", "--log-level", "error"}} {
					r := in(t, home, args...)
					r.want(t, 1)
					r.says(t, path)
					if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
						t.Errorf("node %q changed the damaged %s (%v)", args, path, err)
					}
				}
				if err := os.WriteFile(path, good, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if damaged == 0 {
				t.Fatal("node id made no file that could be damaged")
			}
		})
	}
}

// TestNameOfAnIdentityStays: another name at a later start is reported and changes nothing.
func TestNameOfAnIdentityStays(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	first := startIn(t, home, "--name", "alice")
	first.Stop()
	again := startIn(t, home, "--name", "alicia")
	again.Stop()
	if again.Hello.Str("name") != "alice" || !strings.Contains(again.Stderr(), "the identity keeps its name") {
		t.Errorf("called %s; %s", again.Hello.Str("name"), again.Stderr())
	}
	if strings.Contains(first.Stderr(), "the identity keeps") {
		t.Errorf("a fresh identity: %s", first.Stderr())
	}
}
