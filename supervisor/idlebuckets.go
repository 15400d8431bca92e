package supervisor

import "time"

// maxLeftAge is how long the send bucket of a peer without a verified connection is kept at most. A peer announces its
// limit itself: rate/1000000/0.001 takes 64 years to fill.
const maxIdleAge = time.Hour

// idleSendBuckets are the send buckets of peers without a verified connection, by node ID: at most maxIdleBuckets.
type idleSendBuckets map[string]idleSendBucket

// evictionSample is how many buckets are compared to evict one.
const evictionSample = 8

// keep adds the bucket of a peer, for an hour at most. If there are too many, of a few at random the one goes that takes longest to fill: the
// limit of an honest peer fills in seconds, so identities that a stranger made up for this displace each other.
func (b idleSendBuckets) keep(id string, idle idleSendBucket, now time.Time) {
	if _, known := b[id]; !known && len(b) >= maxIdleBuckets {
		b.evict()
	}
	if latest := now.Add(maxIdleAge); idle.fullAt.After(latest) {
		idle.fullAt = latest
	}
	b[id] = idle
}

func (b idleSendBuckets) evict() {
	compared, victim := 0, ""
	for id, idle := range b { // in random order
		if victim == "" || idle.fullAt.After(b[victim].fullAt) {
			victim = id
		}
		if compared++; compared == evictionSample {
			break
		}
	}
	delete(b, victim)
}

// expire drops the buckets that are full at now.
func (b idleSendBuckets) expire(now time.Time) {
	for id, idle := range b {
		if now.After(idle.fullAt) {
			delete(b, id)
		}
	}
}
