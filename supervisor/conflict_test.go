package supervisor

import (
	"slices"
	"testing"
	"time"
)

func TestJudgeConflict(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	}
	from := func(newcomer string, times ...float64) (closes []duplicateClose) {
		for _, s := range times {
			closes = append(closes, duplicateClose{at: at(s), newcomer: newcomer, incumbent: "10.0.0.1:5000"})
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
		{"three within the window", 30, from("10.0.0.2:1", 0, 1, 30), time.Time{}, conflictVerdict{true, true, both}},
		{"the first is too old", 30.001, from("10.0.0.2:1", 0, 1, 30), time.Time{}, conflictVerdict{}},
		{"three from the incumbent's host", 30, from("10.0.0.1:7", 0, 1, 30), time.Time{}, conflictVerdict{}},
		{
			"one of three from the incumbent's host", 30, append(from("10.0.0.2:1", 0, 1), from("10.0.0.1:7", 2)...),
			time.Time{},
			conflictVerdict{},
		},
		{
			"from two other hosts", 30, append(from("10.0.0.2:1", 0, 1), from("[2001:db8::1]:7", 2)...),
			time.Time{},
			conflictVerdict{true, true, append(slices.Clone(both), "2001:db8::1")},
		},
		{"reported a moment ago", 61, from("10.0.0.2:1", 40, 50, 60), at(1.001), conflictVerdict{true, false, both}},
		{"reported a minute ago", 61, from("10.0.0.2:1", 40, 50, 60), at(1), conflictVerdict{true, true, both}},
	}
	for _, tt := range tests {
		got := judgeConflict(at(tt.now), tt.closes, tt.reported)
		if got.conflict != tt.want.conflict || got.report != tt.want.report || !slices.Equal(got.addresses, tt.want.addresses) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	var closes []duplicateClose
	for i := range 100 {
		closes = keepCloses(closes, duplicateClose{at: at(float64(i)), newcomer: "10.0.0.2:1", incumbent: "10.0.0.1:1"})
	}
	if len(closes) != 3 || !closes[0].at.Equal(at(97)) {
		t.Errorf("kept %+v, want the last three", closes)
	}
	closes = keepCloses(closes, duplicateClose{at: at(1000)})
	if len(closes) != 1 {
		t.Errorf("kept %+v, want one", closes)
	}
}
