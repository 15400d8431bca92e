package blackbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// setting finds what `node config --output json` says about one setting, whatever its shape: either the value under
// the setting's name, or the object that holds the name. The answer is JSON text in lower case.
func setting(config any, name string) string {
	plain := strings.NewReplacer("-", "", "_", "")
	same := func(s string) bool { return strings.EqualFold(plain.Replace(s), plain.Replace(name)) }
	text := func(v any) string {
		b, _ := json.Marshal(v)
		return strings.ToLower(string(b))
	}
	switch v := config.(type) {
	case map[string]any:
		for key, value := range v {
			if same(key) {
				return text(value)
			}
		}
		for _, value := range v {
			if s, ok := value.(string); ok && same(s) {
				return text(v)
			}
			if found := setting(value, name); found != "" {
				return found
			}
		}
	case []any:
		for _, value := range v {
			if found := setting(value, name); found != "" {
				return found
			}
		}
	}
	return ""
}

// writeConfig writes a settings file to the default place.
func writeConfig(t *testing.T, home, text string) {
	t.Helper()
	path := filepath.Join(home, "config", "go-p2p", "node.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLaterSourcesOverride adds one source of settings after the other. Each overrides the earlier ones.
func TestLaterSourcesOverride(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	steps := []struct {
		value, source string
		file, env     bool
		flags         []string
	}{
		{value: "100", source: "default"},
		{value: "11", source: "file", file: true},
		{value: "22", source: "env", file: true, env: true},
		{value: "33", source: "flag", file: true, env: true, flags: []string{"--max-conns", "33"}},
	}
	for _, step := range steps {
		if step.file {
			writeConfig(t, home, "max-conns: 11\n")
		}
		var env []string
		if step.env {
			env = []string{"NODE_MAX_CONNS=22"}
		}
		r := command(t, home, "", env, append([]string{"config", "--output", "json"}, step.flags...)...)
		r.want(t, 0)
		var config any
		r.decode(t, &config)
		got := setting(config, "max-conns")
		if !strings.Contains(got, step.value) || !strings.Contains(got, step.source) {
			t.Errorf("max-conns is %q, want %s from %s; all: %s", got, step.value, step.source, r.stdout)
		}
		n := startWith(t, nodetest.ProcessOptions{Home: home, Env: env}, step.flags...)
		if got := fmt.Sprint(n.Status().Connections.Max); got != step.value {
			t.Errorf("the node runs with max-conns %s, want %s from %s", got, step.value, step.source)
		}
		n.Stop()
	}
}

func TestConfigShowsEverySetting(t *testing.T) {
	t.Parallel()
	r := command(t, nodetest.NewHome(t), "", nil, "config", "--output", "json")
	r.want(t, 0)
	var config any
	r.decode(t, &config)
	for name, value := range map[string]string{
		"role": "dual", "listen": ":9091", "ws-path": "/ws", "auth": "open", "max-conns": "100", "ping-interval": "30s",
		"pong-timeout": "10s", "handshake-timeout": "10s", "write-timeout": "10s", "rate-burst": "100", "rate-refill": "50",
		"pace":      "on",
		"dedup-ttl": "5m", "admin": "127.0.0.1:9092", "log-level": "info", "log-format": "text", "output": "json",
		"max-message-size": "1", "max-clock-skew": "", "peer": "", "tls-cert": "", "tls-key": "", "tls-ca": "", "name": "",
		"data-dir": "", "config": "",
	} {
		if got := setting(config, name); got == "" || !strings.Contains(got, value) {
			t.Errorf("config says %q about %s, want %q in it", got, name, value)
		}
	}
}

func TestSettingsFileErrorsNameTheSetting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, says string }{
		"unknown key": {"max-conns: 5\nmax-cons: 6\n", "max-cons"},
		"bad value":   {"max-conns: many\n", "max-conns"},
		"no YAML":     {"max-conns: [\n", "node.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			home := nodetest.NewHome(t)
			writeConfig(t, home, tt.file)
			for _, args := range [][]string{{"config"}, {"run", "--listen", "127.0.0.1:0", "--admin", ""}} {
				r := in(t, home, args...)
				if r.code != 1 && r.code != 2 {
					t.Errorf("node %q exits %d, want 1 or 2", args, r.code)
					continue
				}
				r.want(t, r.code)
				r.says(t, tt.says)
			}
		})
	}
	r := in(t, nodetest.NewHome(t), "config", "--config", "/nowhere/node.yaml")
	if r.code != 1 && r.code != 2 {
		t.Errorf("a settings file that is named and not there: exit code %d, want 1 or 2", r.code)
	}
	r.says(t, "/nowhere/node.yaml")
}

func TestBadEnvironmentNamesTheVariable(t *testing.T) {
	t.Parallel()
	r := command(t, nodetest.NewHome(t), "", []string{"NODE_MAX_CONNS=many"}, "config")
	r.want(t, 2)
	r.says(t, "NODE_MAX_CONNS")
}

// TestDefaultPathsFollowXDG uses the XDG folders and no flag.
func TestDefaultPathsFollowXDG(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	r := command(t, home, "", nil, "id")
	r.want(t, 0)
	if entries, err := os.ReadDir(filepath.Join(home, "share", "go-p2p")); err != nil || len(entries) == 0 {
		t.Errorf("the identity is not in $XDG_DATA_HOME/go-p2p: %v, %v", entries, err)
	}
	elsewhere := filepath.Join(home, "elsewhere")
	command(t, home, "", []string{"NODE_DATA_DIR=" + elsewhere}, "id").want(t, 0)
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) == 0 {
		t.Errorf("the identity is not in $NODE_DATA_DIR: %v, %v", entries, err)
	}
}

// TestEnvironmentNamesPeers passes several peers in one variable.
func TestEnvironmentNamesPeers(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	c := startWith(t, nodetest.ProcessOptions{Env: []string{"NODE_PEERS=" + a.Address() + "," + b.URL()}})
	meet(a, c)
	meet(b, c)
}
