package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

func TestScrubRemovesKeysAndPasswords(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xef, 0x01, 0x30}, 8))
	long := "github.com/asynkron/protoactor-go/actor/mailbox/unbounded"
	for text, want := range map[string]string{
		"raw " + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)): "raw [key]",
		"`node allow " + key + "` adds it":                                         "`node allow [key]` adds it",
		`{"publicKey":"` + key + `","id":"1"}`:                                     `{"publicKey":"[key]","id":"1"}`,
		"wss://bob:secret@example.org/ws":                                          "wss://[removed]@example.org/ws",
		"wss://bob:se@cret@example.org/ws":                                         "wss://[removed]@example.org/ws",
		`{"url":"wss://x.org/ws?token=secret#8d"}`:                                 `{"url":"wss://x.org/ws?[removed]#8d"}`,
		"wss://x.org/ws?t=a@b is away":                                             "wss://x.org/ws?[removed] is away",
		"ws://x.org:9091/ws#8dffda5ff32ade9":                                       "ws://x.org:9091/ws#8dffda5ff32ade9",
		long:                                                                       long,
		"8dffda5ff32ade93902da91128a56961":                                         "8dffda5ff32ade93902da91128a56961",
	} {
		if got := string(Scrub([]byte(text))); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

// hide passes an array by value, so that its words are arguments in a dump.
//
//go:noinline
func hide(secret [4]uint64, dump func()) uint64 {
	dump()
	return secret[0] + secret[3]
}

// The dump of a goroutine with a secret in its arguments keeps the functions and the states only.
func TestDumpsHoldNoArguments(t *testing.T) {
	secret := [4]uint64{0xfeedface12345678, 2, 3, 0xfeedface87654321}
	var raw bytes.Buffer
	hide(secret, func() {
		if err := pprof.Lookup("goroutine").WriteTo(&raw, 2); err != nil {
			t.Error(err)
		}
	})
	if !strings.Contains(raw.String(), "0xfeedface12345678") {
		t.Fatalf("the dump has no arguments to remove:\n%s", raw.String())
	}
	got := string(WithoutArguments(raw.Bytes()))
	if strings.Contains(got, "feedface") || !strings.Contains(got, "report.hide(...)\n") ||
		!strings.Contains(got, "goroutine ") || !strings.Contains(got, "report_test.go:") {
		t.Errorf("the dump is\n%s", got)
	}
}

func TestArchiveScrubsTexts(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	at := time.Unix(1_700_000_000, 0)
	raw, err := Archive("folder", at, []File{{"a.txt", []byte("x " + key)}, {"heap.pprof", []byte(key)}})
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(zip)
	got := ""
	for {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil || !head.ModTime.Equal(at) || head.Mode != 0o600 {
			t.Errorf("%s: %v, %v, mode %o", head.Name, err, head.ModTime, head.Mode)
		}
		got += head.Name + "=" + string(data) + ";"
	}
	if want := "folder/a.txt=x [key];folder/heap.pprof=" + key + ";"; got != want {
		t.Errorf("holds %s, want %s", got, want)
	}
}

func TestLinesKeepTheNewest(t *testing.T) {
	var l Lines
	for i := range maxLines + 10 {
		fmt.Fprintf(&l, "%d\n", i)
	}
	got := strings.Split(strings.TrimSpace(string(l.Bytes())), "\n")
	if len(got) != maxLines || got[0] != "10" || got[maxLines-1] != fmt.Sprint(maxLines+9) {
		t.Errorf("%d lines from %s to %s", len(got), got[0], got[len(got)-1])
	}
	for range 300 {
		fmt.Fprint(&l, strings.Repeat("x", 2*maxLine)+"\n")
	}
	size := len(l.Bytes())
	if lines := bytes.Count(l.Bytes(), []byte("x…\n")); size > maxBytes || size < maxBytes-2*maxLine || lines < 100 {
		t.Errorf("%d bytes, %d long lines", size, lines)
	}
}
