package supervisor

import "time"

// admissionRates bounds how often the connections of one address group get a slot. Without it, an attacker with many
// identities causes events, book entries and handshakes as fast as it can connect. Each group has a token bucket,
// stored as the time at which it is full again. Full buckets are not stored. Not safe for concurrent use.
type admissionRates struct {
	fullAt map[string]time.Time // by address group
	pruned int                  // entries left by the last prune
}

// admissionRate is the bucket of one address group: burst admissions at once, then one in each interval.
type admissionRate struct {
	burst    int
	interval time.Duration
}

// Lower bounds of admissionRate, for a small MaxConnsPerAddress.
const (
	minAdmissionBurst    = 100
	maxAdmissionInterval = time.Second
	reconnectBurst       = 4                // admissions at once for each permitted connection
	reconnectEvery       = 10 * time.Second // of each permitted connection, on average
)

// admissionRateOf returns the rate for a limit of connections per address group: each of them may reconnect every 10 s
// on average, and four times at once.
func admissionRateOf(perAddress int) admissionRate {
	return admissionRate{
		burst:    max(minAdmissionBurst, reconnectBurst*perAddress),
		interval: min(maxAdmissionInterval, reconnectEvery/time.Duration(max(perAddress, 1))),
	}
}

// take takes one token at now from a bucket that is full at fullAt. It returns the new time, or false if the bucket is
// empty.
func (r admissionRate) take(fullAt, now time.Time) (next time.Time, ok bool) {
	if fullAt.Before(now) {
		fullAt = now
	}
	next = fullAt.Add(r.interval)
	if next.Sub(now) > time.Duration(r.burst)*r.interval {
		return fullAt, false
	}
	return next, true
}

// minPruned is the smallest number of entries at which charge prunes.
const minPruned = 1024

func newAdmissionRates() admissionRates { return admissionRates{fullAt: make(map[string]time.Time)} }

// exhausted reports whether the bucket of a group is empty. The group "" has no limit.
func (a *admissionRates) exhausted(group string, rate admissionRate, now time.Time) bool {
	if group == "" {
		return false
	}
	_, ok := rate.take(a.fullAt[group], now)
	return !ok
}

// charge takes a token from the bucket of a group. It prunes full buckets whenever their number may have doubled.
func (a *admissionRates) charge(group string, rate admissionRate, now time.Time) {
	if group == "" {
		return
	}
	a.fullAt[group], _ = rate.take(a.fullAt[group], now)
	if len(a.fullAt) > max(minPruned, 2*a.pruned) {
		a.prune(now)
	}
}

// prune drops the buckets that are full at now.
func (a *admissionRates) prune(now time.Time) {
	for group, fullAt := range a.fullAt {
		if !fullAt.After(now) {
			delete(a.fullAt, group)
		}
	}
	a.pruned = len(a.fullAt)
}
