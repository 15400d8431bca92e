package settings

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
)

// take loads two files and merges the second into the first.
func take(t *testing.T, before, after string) (merged *Settings, changed, restart string) {
	t.Helper()
	s, err := load(t, ScopeNode, nil, nil, before)
	if err != nil {
		t.Fatal(err)
	}
	next, err := load(t, ScopeNode, nil, nil, after)
	if err != nil {
		t.Fatal(err)
	}
	next.File = s.File // each load uses its own directory
	merged, c, r, err := s.Take(next)
	if err != nil {
		t.Fatal(err)
	}
	return merged, strings.Join(c, " "), strings.Join(r, " ")
}

func TestTakeSeparatesChangesFromRestarts(t *testing.T) {
	for _, c := range []struct{ before, after, changed, restart string }{
		{"max-conns: 7", "max-conns: 7", "", ""},
		{"max-conns: 7", "max-conns: 8\nlisten: :1\nname: other", "max-conns", "listen"},
		{"log-level: info", "log-level: debug\nlog-format: json", "log-level", "log-format"},
		{"peer: [a:1]", "peer: [a:1, b:1]", "peer", ""},
		{"auth: open", "auth: allowlist", "auth", ""},
		{"auth: allowlist", "max-conns: 3", "max-conns", ""},
		{"dedup-ttl: 5m", "dedup-ttl: 1h", "", "dedup-ttl"},
		{"", "cluster: 127.0.0.1:1", "", "cluster"},
		{"shutdown-timeout: 9s", "shutdown-timeout: 8s\ncluster: 127.0.0.1:1", "shutdown-timeout", "cluster"},
		{"cluster: 127.0.0.1:1\nshutdown-timeout: 9s", "cluster: 127.0.0.1:1", "shutdown-timeout", ""},
		{"tls-cert: a\ntls-key: a", "tls-cert: b\ntls-key: b", "tls-cert tls-key", ""},
		{"tls-cert: a\ntls-key: a", "max-conns: 3", "max-conns", "tls-cert tls-key"},
	} {
		if _, changed, restart := take(t, c.before, c.after); changed != c.changed || restart != c.restart {
			t.Errorf("%q then %q: changed %s, restart %s", c.before, c.after, changed, restart)
		}
	}
	merged, _, _ := take(t, "auth: allowlist\nlisten: :7", "listen: :8\nmax-conns: 3\ndedup-ttl: 1h")
	if value(merged, "listen") != ":7 from file" || value(merged, "max-conns") != "3 from file" ||
		merged.Auth != supervisor.PeerAuthAllowlist || value(merged, "max-clock-skew") != "5m from default" {
		t.Errorf("merged %+v", merged.Values())
	}
}

func TestRestartAndIdentityNamesAreSettings(t *testing.T) {
	known := byName()
	for _, name := range slices.Concat(restartOnly, identityOnly) {
		if _, ok := known[name]; !ok {
			t.Errorf("%s is no setting", name)
		}
	}
}

// The example is a valid settings file. With its comment marks removed, it equals the defaults.
func TestExampleEqualsTheDefaults(t *testing.T) {
	var text strings.Builder
	if err := WriteExample(&text, Options{DataDir: "/data", HostName: "host"}); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, ScopeNode, nil, nil, text.String()); err != nil {
		t.Errorf("as it is: %v", err)
	}
	active := regexp.MustCompile(`(?m)^#([a-z-]+:)`).ReplaceAllString(text.String(), "$1")
	s, err := load(t, ScopeNode, nil, nil, active)
	if err != nil {
		t.Fatalf("%v in\n%s", err, active)
	}
	plain, err := load(t, ScopeNode, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range s.Values() {
		if want := plain.Values()[i]; v.Name != "config" && (v.Value != want.Value || v.Source != FromFile) {
			t.Errorf("%s is %q from %s, want %q from the file", v.Name, v.Value, v.Source, want.Value)
		}
	}
}
