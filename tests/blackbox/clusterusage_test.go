package blackbox

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestUnusableClusterSettingsEndTheStart gives each setting of a cluster a value that cannot be used. The start ends
// with 2, or with 1 if the value may be right at another time or on another host, and says what to do.
func TestUnusableClusterSettingsEndTheStart(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	dir := nodetest.NewHome(t)
	gone, short, open := filepath.Join(dir, "gone"), filepath.Join(dir, "short"), filepath.Join(dir, "open")
	for path, mode := range map[string]os.FileMode{short: 0o600, open: 0o644} {
		text := "short"
		if path == open {
			text = "a secret of more than 16 bytes"
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	const chmod = "other users can access it (mode 0644): chmod 600 "
	member := []string{"--identity", s.identity, "--cluster", "127.0.0.1:0", "--cluster-name", "a"}
	nats := []string{"--identity", s.identity, "--cluster-nats", "nats://127.0.0.1:1", "--cluster-name", "a"}
	for _, tt := range []struct {
		flags []string
		code  int
		says  []string
	}{
		{[]string{"--cluster", "nowhere"}, 2, []string{"--cluster nowhere: ", "must be"}},
		{[]string{"--cluster", "0.0.0.0:0"}, 2, []string{"--cluster 0.0.0.0:0: it is a public", "--cluster-public"}},
		{append(member, "--cluster", "203.0.113.1:9093"), 2, []string{"--cluster 203.0.113.1:9093: it is a public"}},
		{append(member, "--cluster", taken.Addr().String()), 1, []string{"--cluster 127", "choose another address"}},
		{append(member, "--cluster", "10.255.255.254:9093"), 1, []string{"--cluster 10", "choose an address of this host"}},
		{append(member, "--cluster-join", "host"), 2, []string{"--cluster-join host: must be host:port"}},
		{[]string{"--cluster-join", "host:1"}, 2, []string{"--cluster-join host:1 is given without --cluster"}},
		{append(member, "--cluster-name", "A b"), 2, []string{"--cluster-name", "must be 1 to 32 of the characters"}},
		{append(member, "--cluster-max-conns", "-1"), 2, []string{"--cluster-max-conns -1: must be"}},
		{append(member, "--cluster-isolated", "maybe"), 2, []string{"--cluster-isolated maybe: must be serve or refuse"}},
		{append(member, "--cluster-public=maybe"), 2, []string{"cluster-public"}},
		{append(member, "--cluster-secret", gone), 2, []string{"--cluster-secret " + gone + ": no such file", "give"}},
		{append(member, "--cluster-secret", dir), 2, []string{"--cluster-secret " + dir + ": it is not a regular file"}},
		{append(member, "--cluster-secret", short), 2, []string{"--cluster-secret " + short + ": a secret has fewer"}},
		{append(member, "--cluster-secret", open), 2, []string{"--cluster-secret " + open + ": " + chmod + open}},
		{append(nats, "--cluster", "127.0.0.1:0"), 2, []string{"exclude each other: give one"}},
		{append(nats, "--cluster-nats", "http://host"), 2, []string{"--cluster-nats http://host: must be nats://"}},
		{append(nats, "--cluster-nats-creds", gone), 2, []string{"--cluster-nats-creds " + gone + ": no such file", "give"}},
		{append(nats, "--cluster-nats-creds", open), 2, []string{"--cluster-nats-creds " + open + ": " + chmod + open}},
		{append(member, "--identity", gone), 2, []string{"--identity " + gone, "holds no identity", "copy that of another"}},
		{append(member, "--identity", short), 2, []string{"--identity " + short, "is damaged", "restore it"}},
		{append(member, "--identity", open), 2, []string{"--identity " + open, chmod + open}},
	} {
		flags := append([]string{"run", "--listen", "127.0.0.1:0", "--admin", ""}, slices.Clone(tt.flags)...)
		r := in(t, nodetest.NewHome(t), flags...)
		if r.code < 0 { // it was killed after nodetest.Patience, as each of the further ones may be
			t.Fatalf("node %q starts instead of exiting with %d", tt.flags, tt.code)
		}
		if r.code != tt.code {
			t.Errorf("node %q exits %d, want %d: %s", tt.flags, r.code, tt.code, r.stderr)
			continue
		}
		r.want(t, tt.code)
		for _, text := range tt.says {
			r.says(t, text)
		}
	}
}
