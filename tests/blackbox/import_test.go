package blackbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// wantImported is the X25519 public key of 32 bytes 'k', computed with crypto/ecdh.
const wantImported = "hGL7PweY+f4sOfOCO7Qc0+/+cLtcgXNb5GoUMTXFhFQ="

// TestIDImportsAPrivateKey: the identity has the public key and ID of the deployed node; a second import, and a file of
// another size, change nothing.
func TestIDImportsAPrivateKey(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	path := filepath.Join(home, "private.key")
	write := func(size int) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Repeat("k", size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{0, 31, 33} {
		write(size)
		r := in(t, home, "id", "--import", path)
		r.want(t, 1)
		r.says(t, "does not have 32 bytes")
	}
	in(t, home, "id", "--import", filepath.Join(home, "absent")).want(t, 1)
	in(t, home, "id", "--import", home).want(t, 1)
	write(32)
	var first, again struct{ ID, Name, PublicKey, Role string }
	r := in(t, home, "id", "--import", path, "--name", "moved", "--role", "worker", "--output", "json")
	r.want(t, 0)
	r.decode(t, &first)
	r.says(t, "created a new identity in "+home)
	if first.PublicKey != wantImported || first.Name != "moved" || first.Role != "worker" {
		t.Errorf("imported %+v", first)
	}
	r = in(t, home, "id", "--import", path)
	r.want(t, 1)
	r.says(t, "has an identity already")
	r = in(t, home, "id", "--output", "json")
	r.want(t, 0)
	if r.decode(t, &again); again != first {
		t.Errorf("%+v after the import of %+v", again, first)
	}
}
