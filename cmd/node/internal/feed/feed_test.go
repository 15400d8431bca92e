package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func event(name, peer, kind, line string) Event {
	return Event{Name: name, Peer: peer, Type: kind, Line: func(text bool) []byte {
		if text {
			return []byte("text " + line)
		}
		return []byte(line)
	}}
}

// newFeed returns a feed and the number of events that it has lost.
func newFeed() (*Feed, *int) {
	lost := new(int)
	report := func(count int) Event { return event(Lost, "", "", fmt.Sprint("lost ", count)) }
	return New(report, func(count int) { *lost += count }), lost
}

func watch(t *testing.T, f *Feed, filter Filter) *Stream {
	t.Helper()
	s, err := f.Watch(filter, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drain returns the lines that wait for a stream.
func drain(s *Stream) (lines []string) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		item, err := s.Next(ctx)
		if err != nil {
			return lines
		}
		lines = append(lines, string(item.Line))
	}
}

func TestFilterSelects(t *testing.T) {
	all := []Event{
		event("peer_up", "a", "", "1"), event(Message, "a", "chat", "2"), event(Message, "b", "news", "3"),
		event("dial_failed", "", "", "4"),
	}
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "1 2 3 4"},
		{Filter{Events: []string{"peer_up", "dial_failed"}}, "1 4"},
		{Filter{Types: []string{"news"}}, "3"},
		{Filter{Types: []string{"news", "chat"}, Peer: "a"}, "2"},
		{Filter{Types: []string{"news"}, Events: []string{"peer_up", Message}}, "1 3"},
		{Filter{Peer: "a"}, "1 2"},
		{Filter{Events: []string{"stopped"}}, ""},
	} {
		f, _ := newFeed()
		s := watch(t, f, c.filter)
		for _, e := range all {
			f.Publish(e)
		}
		if got := strings.Join(drain(s), " "); got != c.want {
			t.Errorf("%+v selects %q, want %q", c.filter, got, c.want)
		}
	}
}

// A reader that does not read loses exactly the events above the limits, learns of them at their place, and slows
// nothing. Another reader loses none.
func TestSlowReaderLosesEventsAndLearnsHowMany(t *testing.T) {
	f, lost := newFeed()
	slow, other := watch(t, f, Filter{}), watch(t, f, Filter{})
	read := 0
	for i := range maxWaiting + 7 {
		f.Publish(event(Message, "", "", fmt.Sprint(i)))
		read += len(drain(other))
	}
	if *lost != 7 || read != maxWaiting+7 {
		t.Errorf("lost %d, want 7; the other reader got %d", *lost, read)
	}
	item, err := slow.Next(t.Context())
	if err != nil || string(item.Line) != "0" {
		t.Fatalf("%s, %v", item.Line, err)
	}
	f.Publish(event(Message, "", "", "after"))
	got := drain(slow)
	want := []string{fmt.Sprint(maxWaiting - 1), "lost 7", "after"}
	if tail := got[len(got)-3:]; !slices.Equal(tail, want) {
		t.Errorf("ends with %q, want %q", tail, want)
	}
	other.Close()
	big := event(Message, "", "", strings.Repeat("x", maxWaitingBytes+1))
	f.Publish(big)
	f.Publish(event(Message, "", "", "small"))
	if got := drain(slow); len(got) != 2 || got[1] != "lost 1" || *lost != 8 {
		t.Errorf("by bytes: %d lines, lost %d", len(got), *lost)
	}
}

func TestLineIsMadeOncePerForm(t *testing.T) {
	f, _ := newFeed()
	text, err := f.Watch(Filter{}, true)
	if err != nil {
		t.Fatal(err)
	}
	one, two := watch(t, f, Filter{}), watch(t, f, Filter{})
	made := 0
	e := event(Message, "", "", "x")
	line := e.Line
	e.Line = func(text bool) []byte { made++; return line(text) }
	f.Publish(e)
	if got := fmt.Sprint(made, drain(text), drain(one), drain(two)); got != "2 [text x] [x] [x]" {
		t.Errorf("got %s", got)
	}
	watch(t, f, Filter{Peer: "other"})
	for _, s := range []*Stream{text, one, two} {
		s.Close()
	}
	if f.Publish(e); made != 2 {
		t.Error("a line is made for no reader")
	}
}

func TestSecondHandlerIsRefused(t *testing.T) {
	f, _ := newFeed()
	first, err := f.Handle("job")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Handle("job"); !errors.Is(err, ErrHandled) {
		t.Errorf("second: %v", err)
	}
	if _, err := f.Handle("other"); err != nil {
		t.Errorf("other type: %v", err)
	}
	for i := range maxWaiting + 1 {
		if taken := f.Publish(event(Message, "", "job", "x")); taken != (i < maxWaiting) {
			t.Errorf("message %d taken: %t", i, taken)
		}
	}
	first.Close()
	if _, err := f.Handle("job"); err != nil {
		t.Errorf("after the end of the first: %v", err)
	}
}

func TestAttendedTypes(t *testing.T) {
	f, _ := newFeed()
	attended := func() string { return fmt.Sprint(f.Attended("job"), f.Attended("other"), f.Open()) }
	none := attended()
	h, err := f.Handle("job")
	if err != nil {
		t.Fatal(err)
	}
	handled := attended()
	w := watch(t, f, Filter{Events: []string{"peer_up"}})
	watched := attended()
	w.Close()
	h.Close()
	for got, want := range map[string]string{
		none: "false false false", handled: "true false true", watched: "true true true",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := attended(); got != none {
		t.Errorf("at the end %s", got)
	}
}

func TestStreamsAreLimited(t *testing.T) {
	f, _ := newFeed()
	for range MaxStreams {
		watch(t, f, Filter{})
	}
	if _, err := f.Watch(Filter{}, false); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

// Close passes the last event to each stream, also one that selects other events or is full, and awaits its end.
func TestCloseEndsStreamsBehindTheLastEvent(t *testing.T) {
	f, _ := newFeed()
	s := watch(t, f, Filter{Types: []string{"chat"}})
	for range maxWaiting + 2 {
		f.Publish(event(Message, "", "chat", "x"))
	}
	drained := f.Close(event("stopped", "", "", "stopped"))
	f.Publish(event(Message, "", "chat", "late"))
	got := drain(s)
	if tail := got[len(got)-2:]; !slices.Equal(tail, []string{"lost 2", "stopped"}) {
		t.Errorf("ends with %q", tail)
	}
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("behind the end: %v", err)
	}
	select {
	case <-drained:
		t.Error("drained before the stream is closed")
	default:
	}
	s.Close()
	<-drained
	if _, err := f.Watch(Filter{}, false); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
