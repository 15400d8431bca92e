package admin

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

const packaging = "../../../../packaging/grafana"

// Every metric that the Grafana dashboard, the alert rules and the documentation name exists.
func TestPackagedMetricsExist(t *testing.T) {
	node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{peer("p1", func(p *supervisor.PeerInfo) {
		p.ClockAhead = time.Second
	})}}
	node.kept = []supervisor.DialInfo{{Address: "a:1"}}
	text, types := scrape(t, serve(t, node, func(c *Config) { c.PerPeer = true }))
	own := regexp.MustCompile(`\b(p2p|go|process)_[a-z0-9_]*[a-z0-9]\b`)
	for _, file := range []string{
		filepath.Join(packaging, "dashboard.json"), filepath.Join(packaging, "alerts.yml"),
		filepath.Join(packaging, "alerts_test.yml"), "../../../../docs/metrics.md",
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := own.FindAllString(string(content), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, name := range found {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if types[base] != "histogram" && !strings.Contains(text, "\n# TYPE "+name+" ") {
				t.Errorf("%s names %s, which does not exist", filepath.Base(file), name)
			}
		}
	}
}

func TestMetricsAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range names(true) {
		if !strings.Contains(string(content), "`"+name+"`") && !strings.Contains(string(content), "`"+name+"{") {
			t.Errorf("docs/metrics.md does not explain %s", name)
		}
	}
}

// Promtool checks the packaged rules and the metrics. TestMetricsMatchTheContract runs promlint, the linter behind
// `promtool check metrics`, also where promtool is missing.
func TestPromtoolAcceptsRulesAndMetrics(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED: promtool is missing, the alert rules were not checked; install it with `apt-get install prometheus`")
	}
	run := func(stdin string, args ...string) {
		cmd := exec.Command(tool, args...)
		cmd.Dir = packaging
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("", "check", "rules", "alerts.yml")
	run("", "test", "rules", "alerts_test.yml")
	node := &fakeNode{accepting: true, connected: []supervisor.PeerInfo{peer("p1")}}
	text, _ := scrape(t, serve(t, node, func(c *Config) { c.PerPeer = true }))
	run(text, "check", "metrics")
}
