package output

import (
	"fmt"
	"time"
)

// Milliseconds converts a duration to the unit of the JSON keys that end in Ms.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// RoundTrip formats a round trip of ms milliseconds with two decimals, or a dash if it was not measured.
func RoundTrip(ms float64) string {
	if ms <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fms", ms)
}

// Clock formats by how many milliseconds a peer's clock is ahead, rounded to a millisecond, or a dash if it is not
// known.
func Clock(aheadMs float64) string {
	ahead := time.Duration(aheadMs * float64(time.Millisecond)).Round(time.Millisecond)
	if ahead == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.3fs", ahead.Seconds())
}

// Age formats a duration with its two largest units, from days to seconds; a negative duration is 0s.
func Age(d time.Duration) string {
	d = max(d, 0)
	seconds, minutes, hours := int(d.Seconds())%60, int(d.Minutes())%60, int(d.Hours())
	switch {
	case hours >= 24:
		return fmt.Sprintf("%dd%dh", hours/24, hours%24)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%ds", minutes, seconds)
	default:
		return fmt.Sprintf("%ds", seconds)
	}
}

// Seconds converts the seconds of a JSON key to a duration.
func Seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
