package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/wire"
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

// Until describes the time until a dial that is due: "in 4s", or "within 1s" of a shorter time, which Age cuts to 0s.
func Until(d time.Duration) string {
	if d < time.Second {
		return "within 1s"
	}
	return "in " + Age(d)
}

// Pause describes the pause before the next try to 0.1 s: "in 1.5s", or "at once" of a shorter pause.
func Pause(d time.Duration) string {
	if d = d.Round(100 * time.Millisecond); d <= 0 {
		return "at once"
	}
	return "in " + d.String()
}

// Ended describes the end of a connection: the side that closed it, if the peer did, and the reason, cut to limit
// characters. The name of the code follows the reason of a peer. A reason of this node is more precise than its code.
func Ended(reason string, code wire.DisconnectCode, remote bool, limit int) string {
	by, why := "", printable.Cut(printable.Text(reason), limit)
	if remote {
		by, why = " by the peer", why+" ("+code.String()+")"
	}
	if reason == "" || reason == code.String() {
		why = code.String()
	}
	return "is disconnected" + by + ": " + why
}

// InUse describes an identity that processes on several hosts use, or several processes on one host.
func InUse(hosts []string) string {
	if len(hosts) == 1 {
		return "is in use several times at " + hosts[0]
	}
	return "is in use from several addresses: " + strings.Join(hosts, ", ")
}

// Seconds converts the seconds of a JSON key to a duration.
func Seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
