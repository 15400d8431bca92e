package admin

import (
	"net/http"
	"strings"
	"testing"
)

// With Pprof the profiles are served under the same rules as every other path; without it there are none.
func TestProfilesAreServedOnlyIfAsked(t *testing.T) {
	paths := map[string]string{
		"/debug/pprof/": "goroutine", "/debug/pprof/heap?debug=1": "heap profile:",
		"/debug/pprof/goroutine?debug=1": "goroutine profile:",
		"/debug/pprof/cmdline":           "", "/debug/pprof/profile?seconds=1": "\x1f\x8b",
		"/debug/pprof/trace?seconds=0.1": "go 1.",
	}
	for _, on := range []bool{false, true} {
		base := serve(t, &fakeNode{}, func(c *Config) { c.Pprof = on }).URL()
		for path, holds := range paths {
			resp, body := fetch(t, http.MethodGet, base+path)
			if want := map[bool]int{false: 404, true: 200}[on]; resp.StatusCode != want || on && !strings.Contains(body, holds) {
				t.Errorf("pprof %v: GET %s: %d, %.100q", on, path, resp.StatusCode, body)
			}
			if resp, _ := fetch(t, http.MethodPost, base+path); resp.StatusCode != 405 {
				t.Errorf("pprof %v: POST %s: %d, want 405", on, path, resp.StatusCode)
			}
			if resp, _ := fetch(t, http.MethodGet, base+path, "Host", "evil.example"); resp.StatusCode != 403 {
				t.Errorf("pprof %v: GET %s for another host: %d, want 403", on, path, resp.StatusCode)
			}
		}
	}
}
