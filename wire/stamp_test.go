package wire

import (
	"testing"
	"time"
)

// Whatever parseTime takes or refuses, the time package does alike.
func checkTime(t *testing.T, text string) {
	var want time.Time
	wantErr := want.UnmarshalText([]byte(text))
	got, err := parseTime([]byte(text))
	if (err == nil) != (wantErr == nil) || err == nil && (!got.Equal(want) || got.Format(time.RFC3339Nano) != want.Format(time.RFC3339Nano)) {
		t.Errorf("%q: got %v, %v, want %v, %v", text, got, err, want, wantErr)
	}
}

func TestParseTime(t *testing.T) {
	for _, text := range []string{
		stamp, "2026-03-11T13:02:39Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2024-02-29T00:00:00.5Z",
		"2026-03-11T13:02:39.000000001Z", "2026-03-11T13:02:39.1Z", "2026-03-31T13:02:39.120Z", "2026-04-30T00:00:00Z",
	} {
		if got, ok := parseUTC([]byte(text)); !ok || got.Location() != time.UTC {
			t.Errorf("%q: not the fast way: %v", text, got)
		}
		checkTime(t, text)
	}
	for _, text := range []string{
		"", "Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "1900-02-29T00:00:00Z", "2026-00-11T13:02:39Z", "2026-13-11T13:02:39Z",
		"2026-03-00T13:02:39Z", "2026-03-32T13:02:39Z", "2026-03-11T24:00:00Z", "2026-03-11T13:60:39Z", "2026-03-11T13:02:60Z",
		"2026-03-11T13:02:39.Z", "2026-03-11T13:02:39,5Z", "2026-03-11T13:02:39.1234567891Z", "2026-03-11T13:02:39.12 Z",
		"2026-03-11t13:02:39Z", "2026-03-11 13:02:39Z", "2026-03-11T13:02:39z", "2026-03-11T13:02:39+00:00", "2026-03-11T13:02:39.5-05:30",
		"-026-03-11T13:02:39Z", "2026/03/11T13:02:39Z", "2026-03-11T1:02:39.5Z", "2026-03-1:T13:02:39Z", "2026-03-11T13:02:39.5",
	} {
		if got, ok := parseUTC([]byte(text)); ok {
			t.Errorf("%q: the fast way takes it for %v", text, got)
		}
		checkTime(t, text)
	}
	for day := time.Date(2023, 12, 31, 23, 59, 58, 1, time.UTC); day.Year() < 2029; day = day.Add(23*time.Hour + 7*time.Minute + 13) {
		checkTime(t, day.Format(time.RFC3339Nano))
	}
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{stamp, "2024-02-29T00:00:00Z", "2026-03-11T18:32:39.5+05:30", "2026-02-30T00:00:60.Z"} {
		f.Add(text)
	}
	f.Fuzz(checkTime)
}
