package supervisor

import (
	"net"
	"slices"
	"time"
)

// An identity is in use on two hosts if newcomers from another host are closed as duplicates again and again while the
// incumbent answers its probes. A peer that has moved, or a dial that crossed ours, is closed once.
const (
	conflictCloses = 3 // within conflictWindow
	conflictWindow = 30 * time.Second
	conflictRepeat = time.Minute // between two reports of one peer
)

// duplicateClose is one newcomer that was closed as a duplicate of a living incumbent.
type duplicateClose struct {
	at        time.Time
	newcomer  string // network address
	incumbent string // network address
}

// conflictVerdict is the judgement of the duplicates of one peer.
type conflictVerdict struct {
	conflict  bool     // the identity is in use from another address: the newcomer is closed with that reason
	report    bool     // an event is due
	addresses []string // hosts, sorted, without ports
}

// judgeConflict judges the recent closes of one peer, the newest last. reported is the time of the last event about the
// peer, zero for none. Closes from the incumbent's own host do not count: a peer that returns comes from there.
func judgeConflict(now time.Time, closes []duplicateClose, reported time.Time) conflictVerdict {
	count := 0
	var hosts []string
	for _, c := range closes {
		newcomer, incumbent := hostOf(c.newcomer), hostOf(c.incumbent)
		if now.Sub(c.at) > conflictWindow || newcomer == incumbent {
			continue
		}
		count++
		hosts = append(hosts, newcomer, incumbent)
	}
	if count < conflictCloses {
		return conflictVerdict{}
	}
	slices.Sort(hosts)
	return conflictVerdict{
		conflict: true, report: reported.IsZero() || now.Sub(reported) >= conflictRepeat, addresses: slices.Compact(hosts),
	}
}

// keepCloses adds a close to the recent ones and drops those outside of the window. At most conflictCloses are kept.
func keepCloses(closes []duplicateClose, c duplicateClose) []duplicateClose {
	closes = slices.DeleteFunc(closes, func(old duplicateClose) bool { return c.at.Sub(old.at) > conflictWindow })
	closes = append(closes, c)
	return closes[max(0, len(closes)-conflictCloses):]
}

// hostOf returns a network address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
