package settings

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A client command ignores invalid settings of the node.
func TestScopeLimitsTheChecks(t *testing.T) {
	s, err := load(t, ScopeClient, nil, []string{"NODE_LISTEN=bad", "NODE_ROLE=bad"}, "data-dir: /there\nmax-conns: bad\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.DataDir != "/there" {
		t.Errorf("data directory is %s", s.DataDir)
	}
	if _, err := load(t, ScopeIdentity, nil, []string{"NODE_ROLE=bad"}, ""); err == nil {
		t.Error("a bad role makes an identity")
	}
}

func TestStoredAuthIsTheWeakestSource(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{{nil, "allowlist from peer book"}, {[]string{"--auth=open"}, "open from flag"}} {
		s, err := load(t, ScopeNode, c.args, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		s.UseStoredAuth(supervisor.PeerAuthAllowlist)
		if got := value(s, "auth"); got != c.want {
			t.Errorf("%v: %s, want %s", c.args, got, c.want)
		}
	}
}

func TestDataDirBecomesAbsolute(t *testing.T) {
	s, err := load(t, ScopeClient, []string{"--data-dir=a"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(s.DataDir) {
		t.Errorf("data directory is %s", s.DataDir)
	}
}

func TestFormatDurationOmitsZeros(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Second: "1m30s", 20 * time.Second: "20s",
		time.Hour + time.Second: "1h0m1s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
