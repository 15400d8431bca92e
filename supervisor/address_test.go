package supervisor

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseAddressReturnsURLs(t *testing.T) {
	good := map[string]string{
		"10.0.0.1:9091":             "ws://10.0.0.1:9091/ws",
		"node.example:9091":         "ws://node.example:9091/ws",
		"[::1]:9091":                "ws://[::1]:9091/ws",
		"ws://10.0.0.1:9091":        "ws://10.0.0.1:9091/ws",
		"ws://10.0.0.1:9091/":       "ws://10.0.0.1:9091/ws",
		"ws://10.0.0.1:9091/p2p":    "ws://10.0.0.1:9091/p2p",
		"wss://node.example":        "wss://node.example:443/ws",
		"ws://node.example":         "ws://node.example:80/ws",
		"wss://node.example:1/x/y":  "wss://node.example:1/x/y",
		"wss://[2001:db8::1]:65535": "wss://[2001:db8::1]:65535/ws",
		"10.0.0.1:9091/other":       "ws://10.0.0.1:9091/other",
	}
	for address, want := range good {
		if got, err := ParseAddress(address, "/ws"); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", address, got, err, want)
		}
	}
	bad := []string{
		"", ":", ":9091", "node", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:-1",
		"http://10.0.0.1:9091", "https://10.0.0.1:9091", "ws://", "ws://:9091", "ws://user@host:1", "ws://u:p@host:1",
		"host:1?x=1", "ws://host:1/#f", "::1:9091", "ws://[::1:9091", "host:1 ", "ho st:1", "host\n:1", "ftp://h:1",
	}
	for _, address := range bad {
		if got, err := ParseAddress(address, "/ws"); err == nil {
			t.Errorf("%q: %q, want an error", address, got)
		} else if strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: the error holds it unquoted", address)
		}
	}
}

// Every accepted address is a URL that parses to itself.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"10.0.0.1:9091", "wss://[::1]:1/x", "ws://a:b@c:1", "%zz:1", "ws://h%41:1", "h:1/%2f?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got, err := ParseAddress(address, "/ws")
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" || u.Port() == "" ||
			u.Path == "" || u.User != nil {
			t.Fatalf("%q became %q (%v)", address, got, err)
		}
		if again, err := ParseAddress(got, "/other"); err != nil || again != got {
			t.Errorf("%q became %q, and that %q (%v)", address, got, again, err)
		}
	})
}

func TestAddressGroupJoinsOneHost(t *testing.T) {
	cases := map[string]string{
		"127.0.0.1:1":              "",
		"127.200.0.9:1":            "",
		"[::1]:1":                  "",
		"[::ffff:127.0.0.1]:1":     "",
		"10.0.0.1:1":               "10.0.0.1",
		"[::ffff:10.0.0.1]:9":      "10.0.0.1",
		"[2001:db8:1:2::1]:1":      "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:1": "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:1":      "2001:db8:1:3::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
		"pipe":                     "pipe",
	}
	for remote, want := range cases {
		if got := addressGroup(remote); got != want {
			t.Errorf("%s: %q, want %q", remote, got, want)
		}
	}
}

func TestAllowedOriginAcceptsThisMachineOnly(t *testing.T) {
	good := [][]string{
		nil,
		{"http://localhost"},
		{"http://localhost:3000"},
		{"https://LOCALHOST:1"},
		{"http://127.0.0.1"},
		{"http://127.0.0.1:9091"},
		{"http://[::1]:9091"},
		{"https://[::1]"},
	}
	for _, origins := range good {
		if !allowedOrigin(origins) {
			t.Errorf("%q refused", origins)
		}
	}
	bad := [][]string{
		{""},
		{"null"},
		{"http://example.com"},
		{"http://localhost.example.com"},
		{"http://example.com#localhost"},
		{"http://localhost@example.com"},
		{"http://127.0.0.1.example.com"},
		{"http://127.0.0.2"},
		{"localhost"},
		{"http://localhost", "http://example.com"},
		{"http://localhost", "http://localhost"},
		{"http://[::2]"},
		{"%"},
		{"http://10.0.0.1:9091"},
		{"file://"},
	}
	for _, origins := range bad {
		if allowedOrigin(origins) {
			t.Errorf("%q allowed", origins)
		}
	}
}
