package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScalarsAreReadAsText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.yaml")
	for text, want := range map[string]string{
		"name: 0123":                   "name=0123",
		"name: 1e3":                    "name=1e3",
		"name: 0x1F":                   "name=0x1F",
		"name: 1_000":                  "name=1_000",
		"name: 2026-01-02":             "name=2026-01-02",
		"name: .inf":                   "name=.inf",
		"name: 12345678901234567890":   "name=12345678901234567890",
		"name: !!str 0123":             "name=0123",
		`name: "0123"`:                 "name=0123",
		"name: &a 0123\nws-path: /w":   "name=0123",
		"max-conns: 0100":              "max-conns=100",
		"max-conns: 0x64":              "must be a whole number",
		"max-conns: 1_000":             "must be a whole number",
		"max-conns: &a 0100\n":         "max-conns=100",
		"rate-burst: 0100.5":           "rate-burst=100.5",
		"metrics-per-peer: true":       "metrics-per-peer=true",
		"name: true":                   "must be a text",
		"name:":                        "must be a text",
		"peer: [host:1, \"host:02\"]":  "peer=host:1,host:02",
		"max-conns: 5\nmax-conns: 6":   "no valid YAML",
		"name: &a 010\nrole: worker\n": "name=010",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(Options{DataDir: "/data", HostName: "host", File: path}, ScopeNode)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			for _, v := range s.Values() {
				got += v.Name + "=" + v.Value + "\n"
			}
			want += "\n"
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: want %q in\n%s", text, want, got)
		}
	}
}

func TestDefaultNameIsRegistered(t *testing.T) {
	for host, want := range map[string]string{
		"alice": "alice", "host.example.com": "host", "": "node", ".": "node", "my_host-1": "my_host-1", "-x-": "x",
		"rock é": "rock", "é": "node", strings.Repeat("a", 63) + "-b": strings.Repeat("a", 63),
		strings.Repeat("h", 300): strings.Repeat("h", 64), "a\x1b[31mb": "a--31mb",
	} {
		if name := RegisteredName(host); name != want || !Registered(name) {
			t.Errorf("host name %.70q: %q, want %q", host, name, want)
		}
	}
	for _, name := range []string{"", "host.example.com", "a-", "_a", "é", "a\n", strings.Repeat("a", 65)} {
		if Registered(name) {
			t.Errorf("%q is taken for a name that deployed nodes register", name)
		}
	}
}
