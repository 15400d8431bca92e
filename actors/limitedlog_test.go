package actors

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitedLoggerWritesOneLinePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := NewLimitedLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})))
		for range 1000 {
			s.Warn("flood", "n", 1)
		}
		s.Error("other")
		time.Sleep(time.Second - time.Nanosecond)
		s.Warn("flood", "n", 2)
		time.Sleep(time.Nanosecond)
		s.Warn("flood", "n", 3)
		time.Sleep(time.Second)
		s.Warn("flood", "n", 4)
		want := "level=WARN msg=flood n=1\nlevel=ERROR msg=other\n" +
			"level=WARN msg=flood n=3 omitted=1000\nlevel=WARN msg=flood n=4\n"
		if out.String() != want {
			t.Errorf("got:\n%swant:\n%s", out.String(), want)
		}
	})
}

func TestQuoteEscapesAndCuts(t *testing.T) {
	cases := []struct{ text, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{"a\nb\x1b[31m\"", `"a\nb\x1b[31m\""`},
		{"ä\xff\u202e", `"\u00e4\xff\u202e"`},
		{strings.Repeat("x", 64), `"` + strings.Repeat("x", 64) + `"`},
		{strings.Repeat("x", 65), `"` + strings.Repeat("x", 64) + `"…`},
	}
	for _, c := range cases {
		if got := Quote(c.text); got != c.want {
			t.Errorf("Quote(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestCounterNamesAreComplete(t *testing.T) {
	var c Counters
	seen := make(map[string]bool)
	for i := range numCounters {
		c.Add(i, int(i)+1)
		if i.String() == "" || seen[i.String()] {
			t.Errorf("counter %d has no name of its own: %q", i, i)
		}
		seen[i.String()] = true
	}
	all := c.Snapshot()
	if len(all) != int(numCounters) {
		t.Errorf("a snapshot of %d counters, want %d", len(all), numCounters)
	}
	for i := range numCounters {
		if all[i.String()] != uint64(i)+1 {
			t.Errorf("%v = %d, want %d", i, all[i.String()], i+1)
		}
	}
}

func TestLimitedHandlerPassesOneLinePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		inner := slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: slog.LevelInfo,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})
		log := slog.New(NewLimitedHandler(inner, time.Minute))
		for range 3 {
			log.Warn("flood")
			log.Debug("not enabled")
			log.With("a", 1).WithGroup("g").Warn("other", "b", 2)
		}
		time.Sleep(time.Minute)
		log.Warn("flood")
		want := "level=WARN msg=flood\nlevel=WARN msg=other a=1 g.b=2\nlevel=WARN msg=flood omitted=2\n"
		if out.String() != want {
			t.Errorf("got:\n%swant:\n%s", out.String(), want)
		}
	})
}
