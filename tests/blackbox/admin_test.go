package blackbox

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// fetch sends a request to the admin address, with another Host unless it is empty.
func fetch(t *testing.T, method, url, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(withTimeout(t), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metricName is a counter's name in /metrics.
func metricName(counter string) string {
	snake := regexp.MustCompile(`[A-Z]`).ReplaceAllStringFunc(counter,
		func(s string) string { return "_" + strings.ToLower(s) })
	return "p2p_" + snake + "_total"
}

func TestAdminPagesAnswer(t *testing.T) {
	t.Parallel()
	n := start(t, "--admin", "127.0.0.1:0")
	base := strings.TrimSuffix(n.Hello.Str("admin"), "/")
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9][0-9]*$`).MatchString(base) {
		t.Fatalf("admin is %q, want the URL of the bound address", n.Hello.Str("admin"))
	}
	port := base[strings.LastIndex(base, ":"):]
	for path, want := range map[string]string{"/": "<html", "/healthz": "", "/readyz": "", "/metrics": "p2p_"} {
		code, body := fetch(t, http.MethodGet, base+path, "")
		if code != http.StatusOK || !strings.Contains(strings.ToLower(body), want) {
			t.Errorf("GET %s: status %d, want 200 and %q in\n%s", path, code, want, nodetest.Head(body))
		}
		if code, _ := fetch(t, http.MethodPost, base+path, ""); code < 400 {
			t.Errorf("POST %s: status %d, want a refusal: everything here only reads", path, code)
		}
		for host, want := range map[string]int{
			"localhost" + port: 200, "127.0.0.1" + port: 200, "[::1]" + port: 200,
			"evil.example": 403, "evil.example" + port: 403, "localhost.evil.example" + port: 403,
		} {
			if code, _ := fetch(t, http.MethodGet, base+path, host); code != want {
				t.Errorf("GET %s for the host %s: status %d, want %d", path, host, code, want)
			}
		}
	}
	_, metrics := fetch(t, http.MethodGet, base+"/metrics", "")
	for _, counter := range counterNames {
		if name := metricName(counter); !regexp.MustCompile(`(?m)^` + name + `(\{.*\})? [0-9]`).MatchString(metrics) {
			t.Errorf("/metrics has no %s", name)
		}
	}
}
