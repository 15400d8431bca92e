package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// load calls Load with flags, environment and, unless file is empty, a default file with this content.
func load(t *testing.T, scope Scope, args, environ []string, file string) (*Settings, error) {
	t.Helper()
	o := Options{Environ: environ, DataDir: "/data", HostName: "host", File: filepath.Join(t.TempDir(), "node.yaml")}
	if file != "" {
		if err := os.WriteFile(o.File, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Flags = pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(o.Flags, ScopeClient, o)
	AddFlags(o.Flags, ScopeNode, o)
	if err := o.Flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(o, scope)
}

func value(s *Settings, name string) string {
	for _, v := range s.Values() {
		if v.Name == name {
			return v.Value + " from " + string(v.Source)
		}
	}
	return "no such setting"
}

// The defaults are those of the documentation.
func TestDefaultsMatchTheDocumentation(t *testing.T) {
	s, err := load(t, ScopeNode, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	want := [][2]string{
		{"data-dir", "/data"},
		{"config", ""},
		{"output", "text"},
		{"identity", ""},
		{"name", "host"},
		{"role", "dual"},
		{"listen", ":9091"},
		{"ws-path", "/ws"},
		{"peer", ""},
		{"auth", "open"},
		{"trusted-proxy", ""},
		{"session", "pin"},
		{"session-pq", "false"},
		{"announce-agent", "true"},
		{"max-conns", "100"},
		{"max-conns-per-address", "0"},
		{"reserved-conns", "0"},
		{"known-peers", "10000"},
		{"max-message-size", "1MiB"},
		{"ping-interval", "30s"},
		{"pong-timeout", "10s"},
		{"handshake-timeout", "10s"},
		{"write-timeout", "10s"},
		{"rate-burst", "100"},
		{"rate-refill", "50"},
		{"pace", "on"},
		{"dedup-ttl", "5m"},
		{"max-clock-skew", "5m"},
		{"shutdown-timeout", "5s"},
		{"tls-cert", ""},
		{"tls-key", ""},
		{"tls-ca", ""},
		{"events", "all"},
		{"admin", "127.0.0.1:9092"},
		{"metrics-per-peer", "false"},
		{"log-level", "info"},
		{"log-format", "text"},
		{"admin-pprof", "false"},
		{"control-group", ""},
		{"cluster", ""},
		{"cluster-join", ""},
		{"cluster-name", "host"},
		{"cluster-secret", ""},
		{"cluster-nats", ""},
		{"cluster-nats-creds", ""},
		{"cluster-max-conns", "0"},
		{"cluster-isolated", "serve"},
		{"cluster-public", "false"},
	}
	values := s.Values()
	if len(values) != len(want) {
		t.Fatalf("%d settings, want %d", len(values), len(want))
	}
	for i, w := range want {
		if v := values[i]; v.Name != w[0] || v.Value != w[1] || v.Source != FromDefault {
			t.Errorf("setting %d is %+v, want %s = %q from default", i, v, w[0], w[1])
		}
	}
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	flag, environment, file := []string{"--max-conns=1"}, []string{"NODE_MAX_CONNS=2"}, "max-conns: 3\n"
	for _, c := range []struct {
		name, file    string
		args, environ []string
		want          string
	}{
		{name: "all", args: flag, environ: environment, file: file, want: "1 from flag"},
		{name: "flag and file", args: flag, file: file, want: "1 from flag"},
		{name: "environment and file", environ: environment, file: file, want: "2 from environment"},
		{name: "file", file: file, want: "3 from file"},
		{name: "none", want: "100 from default"},
		{name: "empty variable", environ: []string{"NODE_MAX_CONNS="}, file: file, want: "3 from file"},
		{name: "other variables", environ: []string{"NODE_ENV=production", "NODE_MAX=7"}, want: "100 from default"},
	} {
		s, err := load(t, ScopeNode, c.args, c.environ, c.file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := value(s, "max-conns"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLoadAcceptsValues(t *testing.T) {
	for _, c := range []struct {
		args, environ    []string
		file, name, want string
	}{
		{args: []string{"--peer=a:1", "--peer", "wss://b/ws"}, name: "peer", want: "a:1,wss://b/ws from flag"},
		{environ: []string{"NODE_PEERS=a:1, b:2,"}, name: "peer", want: "a:1,b:2 from environment"},
		{environ: []string{"NODE_PEERS="}, file: "peer: [a:1]", name: "peer", want: " from environment"},
		{file: "peer: ['a:1', 'b:2']", name: "peer", want: "a:1,b:2 from file"},
		{file: "peer: a:1", name: "peer", want: "a:1 from file"},
		{file: "listen: ''", name: "listen", want: " from file"},
		{environ: []string{"NODE_LISTEN="}, name: "listen", want: " from environment"},
		{args: []string{"--admin="}, name: "admin", want: " from flag"},
		{args: []string{"--max-message-size=64KiB"}, name: "max-message-size", want: "64KiB from flag"},
		{args: []string{"--max-message-size=1mb"}, name: "max-message-size", want: "1000000 from flag"},
		{file: "max-message-size: 1048576", name: "max-message-size", want: "1MiB from file"},
		{file: "rate-burst: 1.5", name: "rate-burst", want: "1.5 from file"},
		{args: []string{"--rate-refill=0"}, name: "rate-refill", want: "0 from flag"},
		{environ: []string{"NODE_PACE=off"}, name: "pace", want: "off from environment"},
		{file: "pace: off", name: "pace", want: "off from file"},
		{args: []string{"--ping-interval=1h30m"}, name: "ping-interval", want: "1h30m from flag"},
		{args: []string{"--dedup-ttl=1h"}, name: "max-clock-skew", want: "1h from default"},
		{args: []string{"--max-conns-per-address=-1"}, name: "max-conns-per-address", want: "-1 from flag"},
		{environ: []string{"NODE_AUTH=allowlist"}, name: "auth", want: "allowlist from environment"},
		{file: "log-level: debug", name: "log-level", want: "debug from file"},
		{file: "# nothing\n", name: "role", want: "dual from default"},
	} {
		s, err := load(t, ScopeNode, c.args, c.environ, c.file)
		if err != nil {
			t.Errorf("%v %v %q: %v", c.args, c.environ, c.file, err)
			continue
		}
		if got := value(s, c.name); got != c.want {
			t.Errorf("%v %v %q: %s is %s, want %s", c.args, c.environ, c.file, c.name, got, c.want)
		}
	}
}

func TestLoadRefusesInvalidValues(t *testing.T) {
	bad := map[string][]string{
		"data-dir":              {""},
		"output":                {"xml", ""},
		"name":                  {"", "a\nb", "\x1b[2J", strings.Repeat("x", 256)},
		"role":                  {"king", ""},
		"listen":                {"9091", "host:99999", "host:-1", "a b:1", "host:"},
		"ws-path":               {"", "ws", "/a/../b", "/ws?x=1", "/{x}", "/a b"},
		"peer":                  {"a", "http://a:1", "a:0", "ws://", ":1", "ws://u:p@a:1", "a:1,b"},
		"auth":                  {"closed", ""},
		"max-conns":             {"0", "-1", "x", "1.5", "", "9999999999999999999"},
		"max-conns-per-address": {"-2", "x"},
		"reserved-conns":        {"-1"},
		"known-peers":           {"0", "-1", "1000001", ""},
		"max-message-size":      {"", "0", "-1", "1023", "2GiB", "1TiB", "MiB", "9999999999999999999GiB"},
		"ping-interval":         {"0", "30", "-1s", "x", "", "99999h"},
		"pong-timeout":          {"0s"},
		"handshake-timeout":     {"1"},
		"write-timeout":         {"-5s"},
		"rate-burst":            {"-1", "0", "NaN", "Inf", "x", ""},
		"rate-refill":           {"-1", "NaN"},
		"pace":                  {"", "ON", "true", "0"},
		"dedup-ttl":             {"0s"},
		"max-clock-skew":        {"0s", "x"},
		"shutdown-timeout":      {"0s"},
		"admin":                 {"9092"},
		"log-level":             {"loud", ""},
		"log-format":            {"xml"},
		"cluster":               {"9093", "host:99999"},
		"cluster-join":          {"a", ":1", "a:0", "a:1,b", "a:x"},
		"cluster-name":          {"", "A", "a.b", "a_b", strings.Repeat("x", 33)},
		"cluster-nats":          {"host:1", "http://host:1", "nats://", "nats://a:1,b"},
		"cluster-public":        {"yes"},
		"cluster-max-conns":     {"-1", "x"},
		"cluster-isolated":      {"", "yes"},
	}
	for name, texts := range bad {
		for _, text := range texts {
			_, err := load(t, ScopeNode, []string{"--" + name + "=" + text}, nil, "")
			if err == nil {
				t.Errorf("--%s=%q is accepted", name, text)
				continue
			}
			message := err.Error()
			if !strings.HasPrefix(message, "--"+name+" ") || !strings.Contains(message, "must be ") ||
				strings.Contains(message, "\n") {
				t.Errorf("--%s=%q: %s", name, text, message)
			}
		}
	}
}

func TestErrorsNameTheSource(t *testing.T) {
	for _, c := range []struct {
		args, environ []string
		file, want    string
	}{
		{args: []string{"--rate-burst", "-1"}, want: "--rate-burst -1: must be a number from 1 to 1000000000"},
		{environ: []string{"NODE_MAX_CONNS=many"}, want: "NODE_MAX_CONNS=many: must be a whole number from 1 to 1000000"},
		{file: "role: king", want: "node.yaml: role: king: must be controller, worker or dual"},
		{file: "max-cons: 1", want: "node.yaml: unknown key max-cons: the keys are admin, "},
		{file: "config: x", want: "unknown key config"},
		{file: "role: {a: b}", want: "unknown key role.a"},
		{file: "listen:", want: "listen: <nil>: must be a text, a number"},
		{file: "name: true", want: "name: true: must be a text, a number"},
		{file: "a: [", want: "node.yaml: the settings file is no valid YAML: "},
		{file: "- a", want: "node.yaml: the settings file is no valid YAML: "},
		{file: "- a", want: "write lines such as max-conns: 50"},
		{file: "\xff\xfe", want: "node.yaml: the settings file is not UTF-8: save it as UTF-8"},
		{file: "name: a\n---\nname: b\n", want: "node.yaml: the settings file has more than one YAML document: put all"},
		{file: "# a\n---\nname: a\n--- # b\nname: b\n", want: "more than one YAML document"},
		{file: "name: a\n...\nname: b\n", want: "more than one YAML document"},
		{args: []string{"--config=/none"}, want: "--config /none: the settings file cannot be read: no such file"},
		{args: []string{"--config="}, want: `--config "": must be a file`},
		{environ: []string{"NODE_CONFIG=/none"}, want: "NODE_CONFIG /none: the settings file cannot be read"},
		{args: []string{"--tls-cert=a"}, want: "--tls-cert a is given without --tls-key: give both or neither"},
		{environ: []string{"NODE_TLS_KEY=a"}, want: "NODE_TLS_KEY=a is given without --tls-cert: give both or neither"},
		{file: "max-conns: 5\nreserved-conns: 5", want: "node.yaml: reserved-conns: 5: must be less than --max-conns, which"},
		{file: "tls-cert: a", want: "node.yaml: tls-cert: a is given without --tls-key"},
		{environ: []string{"NODE_DEDUP_TTL=1us"}, want: "NODE_DEDUP_TTL=1µs: must be 1ms or more"},
		{
			args: []string{"--max-conns=5", "--reserved-conns=5"},
			want: "--reserved-conns 5: must be less than --max-conns, which is 5",
		},
	} {
		_, err := load(t, ScopeNode, c.args, c.environ, c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v %v %q: %v, want %s", c.args, c.environ, c.file, err, c.want)
		}
	}
}

// Document marks around the only document, and text that resembles them, make no second document.
func TestLoadRefusesASecondDocument(t *testing.T) {
	for _, text := range []string{
		"---\nname: a\n", "%YAML 1.1\n---\nname: a\n...\n# end\n", "--- {name: a}\n", "\n# c\n\n---\r\nname: a\r\n",
		"name: |-\n  a\n", "name:\n  a\n", "\ufeff# c\n---\nname: a\n", "name: a\n---\n",
	} {
		s, err := load(t, ScopeNode, nil, nil, text)
		if err != nil || s.Name != "a" {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]bool{
		"": false, "---": false, "a: |\n ---\n b\n": false, "a: 1\n---\nb: 2\n": true, "---\n---\na: 1\n": true,
		"a: 1\n...\nb: [": true,
	} {
		if got := secondDocument([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
