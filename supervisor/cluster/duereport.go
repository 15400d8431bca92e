package cluster

import "time"

// dueReport is the time at which the results of a batch are reported, unless all of them were reported before.
type dueReport struct {
	batch *arrived
	at    time.Time
}

// reportSoon reports the results of a batch after ackAfter. One timer serves all batches: most are complete before, and
// the start of a timer while the process is idle wakes one of its threads. mu is held.
func (in *inward) reportSoon(b *arrived) {
	b.due = time.Now().Add(ackAfter)
	in.due = append(in.due, dueReport{b, b.due})
	if !in.timing {
		in.timing = true
		time.AfterFunc(ackAfter, in.onDue)
	}
}

// onDue reports the results of all batches whose time has come.
func (in *inward) onDue() {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := time.Now()
	for len(in.due) > 0 && !in.due[0].at.After(now) {
		next := in.due[0]
		in.due = in.due[1:]
		if b := next.batch; b.due.Equal(next.at) && in.arrived[b.key] == b { // not reported since
			in.acknowledge(b)
		}
	}
	if in.timing = len(in.due) > 0; in.timing {
		time.AfterFunc(in.due[0].at.Sub(now), in.onDue)
	} else {
		in.due = nil
	}
}
