package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMemberNameOfAHost(t *testing.T) {
	for host, want := range map[string]string{
		"host": "host", "Web-1.example.org": "web-1", "my_host": "my-host", "": "node", ".x": "node", "Ö 1": "--1",
		strings.Repeat("a", 40): strings.Repeat("a", 32),
	} {
		if got := MemberName(host); got != want || !memberName.MatchString(got) {
			t.Errorf("MemberName(%q) is %q, want %q", host, got, want)
		}
	}
}

func TestRulesBetweenSettingsOfACluster(t *testing.T) {
	for args, want := range map[string]string{
		"--cluster=127.0.0.1:9093 --cluster-join=a:1 --cluster-join=b:2": "",
		"--cluster-nats=nats://a:4222 --cluster-nats-creds=x":            "",
		"--cluster=127.0.0.1:1 --cluster-nats=nats://u:p@a:1": "--cluster 127.0.0.1:1 and --cluster-nats " +
			"nats://u:xxxxx@a:1 exclude each other",
		"--cluster-join=a:1":                           "--cluster-join a:1 is given without --cluster:",
		"--cluster-nats=nats://a:1 --cluster-join=b:2": "--cluster-join b:2 and --cluster-nats nats://a:1 exclude",

		"--cluster-nats-creds=x":            "--cluster-nats-creds x is given without --cluster-nats:",
		"--cluster-secret=x":                "--cluster-secret x is given without --cluster or",
		"--cluster-name=a --cluster-public": "",
	} {
		s, err := load(t, ScopeNode, strings.Fields(args), nil, "")
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
		enabled := strings.Contains(args, "--cluster=") || strings.Contains(args, "--cluster-nats=")
		if err == nil && s.Cluster.Enabled() != enabled {
			t.Errorf("%s: enabled: %v", args, s.Cluster.Enabled())
		}
	}
}

// A member has a minute to move its peers before it stops; a lone node has 5 s.
func TestMembersHaveAMinuteToStop(t *testing.T) {
	for args, want := range map[string]string{
		"":                             "5s from default",
		"--cluster=127.0.0.1:9093":     "1m from default",
		"--cluster-nats=nats://a:4222": "1m from default",
		"--cluster=127.0.0.1:9093 --shutdown-timeout=5s": "5s from flag",
	} {
		s, err := load(t, ScopeNode, strings.Fields(args), nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := value(s, "shutdown-timeout"); got != want {
			t.Errorf("%q: %s, want %s", args, got, want)
		}
	}
}

func TestClusterSecretsAreOneOrTwoLines(t *testing.T) {
	long, other := strings.Repeat("s", 16), strings.Repeat("t", 40)
	path := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{
		long: long, long + "\n": long, "\n " + long + "\r\n" + other + "\n\n": long + "," + other,
		"": "error", "short": "error", long + "\nshort": "error", long + "\n" + long + "\n" + long: "error",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := load(t, ScopeNode, []string{"--cluster=127.0.0.1:1", "--cluster-secret=" + path}, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := s.ClusterSecrets()
		var got []string
		for _, secret := range secrets {
			got = append(got, string(secret))
		}
		switch {
		case want == "error":
			if err == nil || !strings.HasPrefix(err.Error(), "--cluster-secret "+path+": ") {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		case err != nil || strings.Join(got, ",") != want:
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s, err := load(t, ScopeNode, []string{"--cluster=127.0.0.1:1", "--cluster-secret=" + path}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClusterSecrets(); err == nil {
		t.Error("a missing file is accepted")
	}
	if s.Cluster.SecretFile = ""; err != nil {
		t.Fatal(err)
	}
	if secrets, err := s.ClusterSecrets(); secrets != nil || err != nil {
		t.Errorf("without a file: %v, %v", secrets, err)
	}
}
