package cluster_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A member logs once when another one starts, is lost and leaves, and when it is alone.
func TestMembersLogStartLossAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		var written bytes.Buffer // one actor writes, and the bubble is idle when it is read
		w.log = slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			got := strings.Split(strings.TrimSpace(written.String()), "\n")
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
			written.Reset()
		}
		w.start("a")
		expect("alone", `level=INFO msg="no other member answers: this one runs alone until one does"`)
		w.log = nil // the others are silent
		w.start("b", "c")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := strings.Count(written.String(), `level=INFO msg="a member is alive" name=`); n != 2 {
			t.Errorf("after two starts: %q", written.String())
		}
		written.Reset()
		w.kill("b")
		time.Sleep(10 * time.Second)
		expect("after a crash", `level=WARN msg="a member is lost: its peers are expected to dial the others" name=b`)
		w.start("b")
		time.Sleep(10 * time.Second)
		expect("after a restart", `level=INFO msg="a member is alive" name=b`)
		w.members["c"].engine.Leave()
		delete(w.members, "c")
		time.Sleep(10 * time.Second)
		expect("after a goodbye", `level=INFO msg="a member has left" name=c`)
	})
}
