package admin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuardServesOwnHostsOnly(t *testing.T) {
	tests := []struct {
		admin, host, local string
		want               int
	}{
		{"127.0.0.1:9092", "127.0.0.1:9092", "127.0.0.1", 200},
		{"127.0.0.1:9092", "127.0.0.1", "127.0.0.1", 200},
		{"127.0.0.1:9092", "127.0.0.1:8080", "127.0.0.1", 200}, // a forwarded port
		{"127.0.0.1:9092", "127.9.8.7:9092", "127.0.0.1", 200},
		{"127.0.0.1:9092", "localhost:9092", "127.0.0.1", 200},
		{"127.0.0.1:9092", "LocalHost", "127.0.0.1", 200},
		{"127.0.0.1:9092", "localhost.:9092", "127.0.0.1", 200},
		{"127.0.0.1:9092", "[::1]:9092", "127.0.0.1", 200},
		{"127.0.0.1:9092", "[::1]", "127.0.0.1", 200},
		{"127.0.0.1:9092", "[::ffff:127.0.0.1]:9092", "127.0.0.1", 200},
		{"node.example:9092", "node.example:9092", "10.0.0.5", 200}, // the bound name
		{"node.example:9092", "NODE.example", "10.0.0.5", 200},
		{"10.0.0.5:9092", "10.0.0.5:9092", "10.0.0.5", 200},
		{":9092", "10.0.0.5:9092", "10.0.0.5", 200}, // bound to all addresses
		{"[::]:9092", "[fd00::5]:9092", "fd00::5", 200},
		{"[::]:9092", "10.0.0.5:9092", "::ffff:10.0.0.5", 200},

		{"127.0.0.1:9092", "", "127.0.0.1", 403},
		{"127.0.0.1:9092", "evil.example", "127.0.0.1", 403},
		{"127.0.0.1:9092", "evil.example:9092", "127.0.0.1", 403},
		{"127.0.0.1:9092", "localhost.evil.example", "127.0.0.1", 403},
		{"127.0.0.1:9092", "evil.localhost.example", "127.0.0.1", 403},
		{"127.0.0.1:9092", "127.0.0.1.evil.example", "127.0.0.1", 403},
		{"127.0.0.1:9092", "127.1", "127.0.0.1", 403},
		{"127.0.0.1:9092", "2130706433", "127.0.0.1", 403},
		{"127.0.0.1:9092", "10.0.0.5", "127.0.0.1", 403},
		{"127.0.0.1:9092", "0.0.0.0:9092", "127.0.0.1", 403},
		{"127.0.0.1:9092", "[::1", "127.0.0.1", 403},
		{":9092", "10.0.0.6:9092", "10.0.0.5", 403},
		{":9092", ":9092", "10.0.0.5", 403},
		{"10.0.0.5:9092", "node.example", "10.0.0.5", 403},
	}
	for _, tt := range tests {
		g := newGuard(tt.admin, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = tt.host
		local := &net.TCPAddr{IP: net.ParseIP(tt.local), Port: 9092}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local)))
		if w.Code != tt.want {
			t.Errorf("bound to %s, host %q: status %d, want %d", tt.admin, tt.host, w.Code, tt.want)
		}
	}
}

func TestGuardRefusesOtherWebsites(t *testing.T) {
	g := newGuard("127.0.0.1:9092", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	fetch := func(site, mode, dest string) map[string]string {
		return map[string]string{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
	}
	tests := []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"no browser", nil, 200},
		{"typed in", fetch("none", "navigate", "document"), 200},
		{"our own page", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200},
		{"our own origin", map[string]string{"Origin": "http://127.0.0.1:9092"}, 200},
		{"a link", fetch("cross-site", "navigate", "document"), 200},
		{"a frame", fetch("cross-site", "navigate", "iframe"), 403},
		{
			"a script's stream",
			map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"},
			403,
		},
		{"another port's page", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403},
		{"another origin", map[string]string{"Origin": "http://127.0.0.1:8080"}, 403},
		{"a sandbox", map[string]string{"Origin": "null"}, 403},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/events", nil)
		r.Host = "127.0.0.1:9092"
		for name, value := range tt.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}
