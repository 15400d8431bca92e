package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readReport returns the files of an archive by their base names, and all of them joined.
func readReport(t *testing.T, raw []byte) (files map[string]string, all string) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	files = make(map[string]string)
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, all
		}
		var data []byte
		if err == nil {
			data, err = io.ReadAll(archive)
		}
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(head.Name)] = string(data)
		if filepath.Ext(head.Name) == ".pprof" { // compressed a second time
			data = unzip(t, data)
		}
		all += head.Name + "\n" + string(data)
	}
}

func unzip(t *testing.T, raw []byte) []byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The archive of a node that has talked holds its state, but neither keys nor payloads, not even in the heap profile.
func TestReportHoldsNoKeysAndNoPayloads(t *testing.T) {
	alice := startNode(t, "alice", "--log-level", "debug", "--auth", "allowlist")
	bob, eve := startNode(t, "bob"), startNode(t, "eve")
	url := alice.first["url"].(string)
	status, _, _ := command(eve.dir, "connect", url)
	if status != exitNotConnected {
		t.Errorf("eve's connect has status %d", status)
	}
	alice.next("peer_refused")
	alice.ok("allow", bob.first["publicKey"].(string))
	bob.ok("connect", url)
	alice.next("peer_verified")
	const sent, received = "payload-which-alice-sends", "payload-which-alice-receives"
	alice.ok("send", "bob", sent)
	bob.ok("send", "alice", received)
	alice.next("message")

	name := filepath.Join(t.TempDir(), "report.tar.gz")
	if out := alice.ok("report", name); out != name+"\n" {
		t.Errorf("report prints %q", out)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files, all := readReport(t, raw)
	bobID, eveID := bob.first["id"].(string), eve.first["id"].(string)
	for file, wanted := range map[string][]string{
		"README.txt":     {"heap.pprof"},
		"version.json":   {`"goversion": "go`, `"processors": `},
		"config.json":    {`"name": "auth"`, `"value": "allowlist"`},
		"status.json":    {`"messagesReceived": `, alice.first["id"].(string)},
		"peers.json":     {bobID, `"publicKey": "[key]"`},
		"pending.json":   {eveID},
		"metrics.txt":    {"p2p_messages_received_total ", "p2p_build_info{"},
		"events.jsonl":   {`"event":"listening"`, `"event":"peer_refused"`, `"event":"peer_verified"`},
		"log.txt":        {"level=WARN", "`node allow [key]`"},
		"goroutines.txt": {"goroutine ", "supervisor."},
		"heap.pprof":     {"\x1f\x8b"},
	} {
		for _, text := range wanted {
			if !strings.Contains(files[file], text) {
				t.Errorf("%s does not contain %q:\n%.2000s", file, text, files[file])
			}
		}
		delete(files, file)
	}
	if len(files) > 0 {
		t.Errorf("further files: %v", files)
	}
	for _, r := range []*running{alice, bob, eve} {
		for _, key := range identityKeys(t, r.dir) {
			if strings.Contains(all, key) {
				t.Errorf("the archive contains the key %s", key)
			}
		}
	}
	for _, payload := range []string{sent, received} {
		if strings.Contains(all, payload) {
			t.Errorf("the archive contains %s", payload)
		}
	}
	alice.stop()
	bob.stop()
	eve.stop()
}

// identityKeys returns every text of an identity file that decodes to 32 bytes, in base64 and as bytes.
func identityKeys(t *testing.T, dir string) (keys []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "identity.json"))
	var values map[string]any
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		encoded, _ := v.(string)
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(key) == 32 {
			keys = append(keys, encoded, string(key))
		}
	}
	if len(keys) < 4 {
		t.Fatalf("found %d keys in %s", len(keys)/2, text)
	}
	return keys
}

func TestReportNeverOverwrites(t *testing.T) {
	alice := startNode(t, "alice")
	defer alice.stop()
	name := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := command(alice.dir, "report", name)
	kept, _ := os.ReadFile(name)
	if status != exitUsage || stdout != "" || !strings.Contains(stderr, "there exists: give another FILE") ||
		string(kept) != "mine" {
		t.Errorf("status %d, %q, %q, the file is %q", status, stdout, stderr, kept)
	}
	status, _, stderr = command(alice.dir, "report", filepath.Join(name, "below"))
	if status != exitFailed || !strings.Contains(stderr, "give another FILE") {
		t.Errorf("status %d, %q", status, stderr)
	}
	raw := []byte(alice.ok("report", "-"))
	files, _ := readReport(t, raw)
	if len(files) != 11 {
		t.Errorf("%d files on standard output", len(files))
	}
	var answer struct {
		File  string
		Bytes int64
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := json.Unmarshal([]byte(alice.ok("report", other, "--output", "json")), &answer); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(other)
	if err != nil || answer.File != other || answer.Bytes != info.Size() || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("answer %+v, %v, %v", answer, info, err)
	}
	if status, _, _ := command(t.TempDir(), "report"); status != exitNoNode {
		t.Errorf("without a node: status %d", status)
	}
}
