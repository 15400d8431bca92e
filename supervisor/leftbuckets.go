package supervisor

import "time"

// maxLeftAge is how long the send bucket of a peer without a verified connection is kept at most. A peer announces its
// limit itself: rate/1000000/0.001 takes 64 years to fill.
const maxLeftAge = time.Hour

// leftBuckets are the send buckets of peers without a verified connection, by node ID: at most maxIdleBuckets.
type leftBuckets map[string]leftBucket

// evictionSample is how many buckets are compared to evict one.
const evictionSample = 8

// keep adds the bucket of a peer, for an hour at most. If there are too many, of a few at random the one goes that takes longest to fill: the
// limit of an honest peer fills in seconds, so identities that a stranger made up for this displace each other.
func (l leftBuckets) keep(id string, left leftBucket, now time.Time) {
	if _, known := l[id]; !known && len(l) >= maxIdleBuckets {
		l.evict()
	}
	if latest := now.Add(maxLeftAge); left.fullAt.After(latest) {
		left.fullAt = latest
	}
	l[id] = left
}

func (l leftBuckets) evict() {
	compared, victim := 0, ""
	for id, left := range l { // in random order
		if victim == "" || left.fullAt.After(l[victim].fullAt) {
			victim = id
		}
		if compared++; compared == evictionSample {
			break
		}
	}
	delete(l, victim)
}

// expire drops the buckets that are full at now.
func (l leftBuckets) expire(now time.Time) {
	for id, left := range l {
		if now.After(left.fullAt) {
			delete(l, id)
		}
	}
}
