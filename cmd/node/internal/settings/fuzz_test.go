package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// FuzzSettings loads arbitrary bytes as a settings file. Load either returns one line that names the file, or values
// that their settings allow; an example written from these values loads and keeps them.
func FuzzSettings(f *testing.F) {
	for _, seed := range settingsSeeds(f) {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "node.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		o := Options{DataDir: "/data", HostName: "host", File: path}
		began := time.Now()
		s, err := Load(o, ScopeNode)
		if took := time.Since(began); took > 30*time.Second { // more than a pause of a loaded machine
			t.Errorf("%d bytes took %v", len(content), took)
		}
		if err != nil {
			checkComplaint(t, err.Error(), path)
			return
		}
		checkAllowed(t, s)
		checkExampleOf(t, s, o)
	})
}

// checkComplaint checks that an error is one printable line with the name of the file.
func checkComplaint(t *testing.T, text, path string) {
	t.Helper()
	if !strings.Contains(text, path) {
		t.Errorf("%q does not name the file", text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) {
		t.Errorf("%q is more than a line of plain text", text)
	}
	if len(text) > len(path)+2000 {
		t.Errorf("a complaint of %d bytes", len(text))
	}
}

// checkAllowed checks the numeric limits, and that each setting accepts its own text.
func checkAllowed(t *testing.T, s *Settings) {
	t.Helper()
	if err := s.check(); err != nil {
		t.Error(err)
	}
	tr := s.Transport
	for what, ok := range map[string]bool{
		"max-conns":        tr.MaxConns >= 1 && tr.MaxConns <= maxCount,
		"reserved-conns":   tr.ReservedConns >= 0 && tr.ReservedConns < tr.MaxConns,
		"known-peers":      s.KnownPeers >= 1 && s.KnownPeers <= maxCount,
		"max-message-size": tr.MaxMessageSize >= minMessageSize && tr.MaxMessageSize <= MaxMessageSizeLimit,
		"rate-burst":       tr.RateBurst >= 1 && tr.RateBurst <= maxNumber,
		"rate-refill":      tr.RateRefill >= 0 && tr.RateRefill <= maxNumber,
		"dedup":            tr.DedupTTL >= time.Millisecond && tr.MaxClockSkew > 0 && tr.MaxClockSkew <= maxDuration,
		"tls":              (tr.TLSCertPath == "") == (tr.TLSKeyPath == ""),
		"data-dir":         filepath.IsAbs(s.DataDir),
		"name":             checkName(s.Name) == nil,
	} {
		if !ok {
			t.Errorf("%s: %+v", what, s.Values())
		}
	}
	for _, def := range definitions() {
		shown := def.show(s)
		if err := def.set(s, shown); err != nil || def.show(s) != shown {
			t.Errorf("%s: shown as %q and then %q: %v", def.name, shown, def.show(s), err)
		}
	}
}

// checkExampleOf writes an example for a host with these values. It loads with and without its comment marks, to the
// same values.
func checkExampleOf(t *testing.T, s *Settings, o Options) {
	t.Helper()
	o.HostName, o.DataDir = s.Name, s.DataDir
	var example strings.Builder
	if err := WriteExample(&example, o); err != nil {
		t.Fatal(err)
	}
	active := regexp.MustCompile(`(?m)^#([a-z-]+:)`).ReplaceAllString(example.String(), "$1")
	for _, content := range []string{example.String(), active} {
		if err := os.WriteFile(o.File, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Load(o, ScopeNode)
		if err != nil {
			t.Fatalf("%v in\n%s", err, content)
		}
		lost := utf8.ValidString(s.DataDir) && again.DataDir != s.DataDir // YAML cannot express other bytes
		if again.Name != s.Name || lost {
			t.Errorf("name %q became %q, folder %q became %q", s.Name, again.Name, s.DataDir, again.DataDir)
		}
	}
}

// settingsSeeds returns the example, each key with odd values, and pitfalls of YAML.
func settingsSeeds(f *testing.F) [][]byte {
	var example strings.Builder
	if err := WriteExample(&example, Options{DataDir: "/data", HostName: "host"}); err != nil {
		f.Fatal(err)
	}
	texts := []string{
		"", example.String(), regexp.MustCompile(`(?m)^#([a-z-]+:)`).ReplaceAllString(example.String(), "$1"),
		"max-conns: 7\nmax-conns: 8\n", "<<: {max-conns: 7}\nmax-conns: 8\n", "a: &a [*a]\n", "name: &n host\nadmin: *n\n",
		"name:\thost\n", "\tname: host\n", "name: host\r\nrole: dual\r\n", "\ufeffname: host\n",
		"\xff\xfen\x00a\x00m\x00e\x00", "\x00\x01\x02", "name: \x1b[2J\n", "a: b\n---\nc: d\n", "? [a]\n: b\n", "1: 2\n",
		"{}: x\n", ".nan: x\n", "max-conns.x: 1\n", "max-conns: {}\n", "- a\n", "~\n", "%YAML 9.9\n---\n",
		"!!binary aGVsbG8=: 1\n", strings.Repeat("a: {", 2000),
		strings.Repeat("[", 20000), strings.Repeat("- ", 5000), strings.Repeat("k", 5000) + ": 1\n", bomb(),
		"tls-cert: a\n", "tls-key: a\n", "max-conns: 5\nreserved-conns: 5\n", "ws-path: /a%2fb\npeer: [a:1]\n",
	}
	odd := []string{
		"", "''", "~", "true", "007", "0x10", "1e3", "1_000", ".nan", ".inf", "-1", "99999999999999999999", "1ns", "1µs",
		"8760h", "2026-01-02", "[a:1, b:2]", "[[a:1], 7]", "{a: b}", "!!binary //79", "!!float 3", "'a\nb'", "\"\\0\"",
		"|\n  a\n  b", "a,b", "%", "&x 1",
	}
	for _, def := range definitions() {
		for _, value := range odd {
			texts = append(texts, def.name+": "+value+"\n")
		}
	}
	seeds := make([][]byte, len(texts))
	for i, text := range texts {
		seeds[i] = []byte(text)
	}
	return seeds
}

// bomb returns a file of a few hundred bytes that expands to 10^10 strings if every alias is followed.
func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x,x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c <= 'j'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [*" + string(c-1) + strings.Repeat(",*"+string(c-1), 9) + "]\n")
	}
	return b.String() + "peer: *j\n"
}
