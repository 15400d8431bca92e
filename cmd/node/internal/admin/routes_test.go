package admin

import (
	"errors"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRoutesServeReadsOnly(t *testing.T) {
	node := &fakeNode{accepting: true}
	base := serve(t, node).URL()
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9][0-9]*$`).MatchString(base) {
		t.Fatalf("URL %q", base)
	}
	tests := []struct{ path, kind, holds string }{
		{"/", "text/html; charset=utf-8", "<html"},
		{"/healthz", "text/plain; charset=utf-8", "ok\n"},
		{"/readyz", "text/plain; charset=utf-8", "ready\n"},
		{"/tree", "application/json", "[]"},
		{"/metrics", "text/plain; version=0.0.4", "p2p_messages_received_total 0"},
		{"/assets/main.js", "text/javascript; charset=utf-8", "new Stream("},
		{"/assets/base.css", "text/css; charset=utf-8", "prefers-color-scheme: dark"},
		{"/assets/icon.svg", "image/svg+xml", "<svg"},
		{"/assets/vendor/uplot/LICENSE", "text/plain; charset=utf-8", "MIT"},
	}
	for _, tt := range tests {
		resp, body := fetch(t, http.MethodGet, base+tt.path)
		kind := resp.Header.Get("Content-Type")
		if resp.StatusCode != 200 || !strings.HasPrefix(kind, tt.kind) || !strings.Contains(body, tt.holds) {
			t.Errorf("GET %s: %d, %s, %.200q", tt.path, resp.StatusCode, kind, body)
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s: policy %q", tt.path, policy)
		}
		if resp, body := fetch(t, http.MethodHead, base+tt.path); resp.StatusCode != 200 || body != "" {
			t.Errorf("HEAD %s: %d, %q", tt.path, resp.StatusCode, body)
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			if resp, _ := fetch(t, method, base+tt.path); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, want 405", method, tt.path, resp.StatusCode)
			}
		}
		if resp, _ := fetch(t, http.MethodGet, base+tt.path, "Host", "evil.example"); resp.StatusCode != 403 {
			t.Errorf("GET %s for another host: %d, want 403", tt.path, resp.StatusCode)
		}
	}
	for _, path := range []string{"/index.html", "/assets/", "/assets/index.html/x", "/nothing", "/debug/pprof/"} {
		if resp, _ := fetch(t, http.MethodGet, base+path); resp.StatusCode != 404 {
			t.Errorf("GET %s: %d, want 404", path, resp.StatusCode)
		}
	}
	resp, _ := fetch(t, http.MethodGet, base+"/assets/main.js")
	again, _ := fetch(t, http.MethodGet, base+"/assets/main.js", "If-None-Match", resp.Header.Get("ETag"))
	if again.StatusCode != 304 {
		t.Errorf("the same file again: %d, want 304", again.StatusCode)
	}
}

func TestReadyzFollowsAccepting(t *testing.T) {
	node := &fakeNode{}
	base := serve(t, node).URL()
	for _, accepting := range []bool{false, true, false} {
		node.set(func() { node.accepting = accepting })
		want := 503
		if accepting {
			want = 200
		}
		if resp, _ := fetch(t, http.MethodGet, base+"/readyz"); resp.StatusCode != want {
			t.Errorf("accepting %v: /readyz is %d, want %d", accepting, resp.StatusCode, want)
		}
		if resp, _ := fetch(t, http.MethodGet, base+"/healthz"); resp.StatusCode != 200 {
			t.Errorf("accepting %v: /healthz is %d", accepting, resp.StatusCode)
		}
	}
}

func TestListenReportsAnAddressInUse(t *testing.T) {
	s := serve(t, &fakeNode{})
	_, err := Listen(Config{Address: s.listener.Addr().String(), Node: &fakeNode{}})
	if !InUse(err) {
		t.Errorf("%v, want an error about an address in use", err)
	}
	if InUse(errors.New("other")) {
		t.Error("another error is taken for an address in use")
	}
}

func TestWildcardIsPublic(t *testing.T) {
	s := serve(t, &fakeNode{}, func(c *Config) { c.Address = ":0" })
	if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") || !s.Public() {
		t.Errorf("bound to all addresses: URL %s, public %v", s.URL(), s.Public())
	}
	if resp, _ := fetch(t, http.MethodGet, s.URL()+"/healthz"); resp.StatusCode != 200 {
		t.Errorf("/healthz: %d", resp.StatusCode)
	}
}

// The assets contain nothing inline, no external address and no markup from text.
func TestAssetsFollowThePolicy(t *testing.T) {
	var own []string
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.Contains(name, "/vendor/") {
			own = append(own, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const markup = `(inn|out)erHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment`
	forbidden := map[string]*regexp.Regexp{
		"an address outside":      regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}`),
		"markup from text":        regexp.MustCompile(markup),
		"code from text":          regexp.MustCompile(`\beval\(|new Function`),
		"an inline script":        regexp.MustCompile(`<script(>| [^>]*[^c]>)[^<]`),
		"an inline style":         regexp.MustCompile(`<style|\sstyle="`),
		"an inline event handler": regexp.MustCompile(`<[^>]+\son[a-z]+="`),
	}
	for _, name := range own {
		content, err := assets.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(content), "http://www.w3.org/", "") // names of XML, not addresses
		for what, pattern := range forbidden {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s holds %s: %q", name, what, found)
			}
		}
	}
	if !slices.Contains(own, "assets/index.html") {
		t.Errorf("only %q were looked at", own)
	}
}
