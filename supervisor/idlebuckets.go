package supervisor

import "time"

// maxIdleAge is the maximum time that an idle send bucket is kept. The peer chooses its announced limit: 1,000,000
// messages at 0.001 per second take decades to fill.
const maxIdleAge = time.Hour

// idleSendBuckets are the send buckets of peers without a verified connection, by node ID: at most maxIdleBuckets.
type idleSendBuckets map[string]idleSendBucket

// evictionSample is the number of buckets compared to evict one.
const evictionSample = 8

// keep adds the bucket of a peer for at most an hour. If the map is full, it evicts the bucket that fills last of a few
// random ones. An honest peer's limit fills in seconds, so identities made up by an attacker evict each other.
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
