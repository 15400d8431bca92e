package supervisor

import (
	"slices"
	"testing"
	"time"
)

func TestJudgeConflictFollowsTable(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	}
	from := func(duplicate string, times ...float64) (closes []duplicateClose) {
		for _, s := range times {
			closes = append(closes, duplicateClose{at: at(s), duplicate: duplicate, incumbent: "10.0.0.1:5000"})
		}
		return closes
	}
	both := []string{"10.0.0.1", "10.0.0.2"}
	tests := []struct {
		name     string
		now      float64
		closes   []duplicateClose
		reported time.Time
		want     conflictVerdict
	}{
		{"none", 30, nil, time.Time{}, conflictVerdict{}},
		{"two", 30, from("10.0.0.2:1", 0, 30), time.Time{}, conflictVerdict{}},
		{"three within the window", 30, from("10.0.0.2:1", 0, 1, 30), time.Time{}, conflictVerdict{true, true, false, both}},
		{"the first is too old", 30.001, from("10.0.0.2:1", 0, 1, 30), time.Time{}, conflictVerdict{}},
		{
			"from two other hosts", 30, append(from("10.0.0.2:1", 0, 1), from("[2001:db8::1]:7", 2)...),
			time.Time{},
			conflictVerdict{true, true, false, append(slices.Clone(both), "2001:db8::1")},
		},
		{
			"one of three is unmarked", 30, append(from("10.0.0.2:1", 0, 1),
				duplicateClose{at(2), "10.0.0.2:7", "10.0.0.1:1", true}),
			time.Time{},
			conflictVerdict{true, true, true, both},
		},
		{"reported a moment ago", 61, from("10.0.0.2:1", 40, 50, 60), at(1.001), conflictVerdict{true, false, false, both}},
		{"reported a minute ago", 61, from("10.0.0.2:1", 40, 50, 60), at(1), conflictVerdict{true, true, false, both}},
		{"one more after a report", 121, from("10.0.0.2:1", 0, 1, 121), at(1), conflictVerdict{true, true, false, both}},
		{"one more, too late", 121.001, from("10.0.0.2:1", 121), at(1), conflictVerdict{}},
	}
	for _, tt := range tests {
		got := (&conflict{closes: tt.closes, reported: tt.reported}).judge(at(tt.now))
		if !slices.Equal(got.addresses, tt.want.addresses) {
			t.Errorf("%s: addresses %q, want %q", tt.name, got.addresses, tt.want.addresses)
		}
		got.addresses, tt.want.addresses = nil, nil
		if got.conflict != tt.want.conflict || got.report != tt.want.report || got.unproven != tt.want.unproven {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	c := &conflict{}
	if c.suspected(at(0)) || (*conflict)(nil).suspected(at(0)) {
		t.Error("suspected without a close")
	}
	for i := range 100 {
		c.keep(duplicateClose{at: at(float64(i)), duplicate: "10.0.0.2:1", incumbent: "10.0.0.1:1"})
	}
	if len(c.closes) != 3 || !c.closes[0].at.Equal(at(97)) {
		t.Errorf("kept %+v, want the last three", c.closes)
	}
	if !c.suspected(at(129)) || c.suspected(at(129.001)) {
		t.Error("a close raises suspicion for other than 30 s")
	}
	if c.keep(duplicateClose{at: at(1000)}); len(c.closes) != 1 {
		t.Errorf("kept %+v, want one", c.closes)
	}
	c.reported = at(1000)
	if !c.suspected(at(1120)) || c.suspected(at(1120.001)) {
		t.Error("a report is remembered for other than two minutes")
	}
}

func TestDifferentHostsIgnoresPorts(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"10.0.0.1:1", "10.0.0.1:2", false},
		{"10.0.0.1:1", "10.0.0.2:1", true},
		{"[2001:db8::1]:1", "[2001:db8::1]:2", false},
		{"[2001:db8::1]:1", "[2001:db8::2]:1", true},
		{"127.0.0.1:1", "127.0.0.1:1", false},
		{"127.0.0.1:1", "127.0.0.1:2", true},
		{"[::1]:1", "[::1]:2", true},
		{"[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:2", true},
		{"127.0.0.1:1", "10.0.0.1:1", true},
		{"example.org:1", "example.org:2", false},
	}
	for _, tt := range tests {
		if got := differentHosts(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
