package cluster

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/supervisor"
)

// reportOf delivers an ack of the first batch that went to a.
func (r *forwarderRig) reportOf(waiting entrySet, results ...entryResult) {
	r.onAck((&ack{head: head{kindAck, "a", 1}, to: 9, batch: 1, waiting: waiting, results: results}).encode())
}

// An entry has one result: a second one, and that of an entry which the batch does not have, count for nothing. A batch
// whose results are all known is forgotten.
func TestEachEntryHasOneResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.forward(t, "peer")
		var waiting entrySet
		waiting.add(0)
		r.reportOf(waiting, entryResult{index: 1})
		if out := r.with("a").out; len(r.results) != 0 || len(out.batches) != 1 {
			t.Errorf("results %v, %d batches after the result of another entry", r.results, len(out.batches))
		}
		if lines := r.lines.String(); lines != "" {
			t.Errorf("the result of another entry is logged: %s", lines)
		}
		r.reportOf(entrySet{}, entryResult{}, entryResult{code: codeMoved})
		r.reportOf(entrySet{}, entryResult{code: codeMoved})
		if len(r.results) != 1 || r.results[0].Err != nil {
			t.Errorf("results %v, want one success", r.results)
		}
		if out := r.with("a").out; len(out.batches) != 0 || out.open != 0 || out.unacked != 0 {
			t.Errorf("%d batches, %d open, %d messages without an ack", len(out.batches), out.open, out.unacked)
		}
	})
}

// The parts of a result are 64 MiB together at most: a longer one counts as lost. Its message is unconfirmed, and the
// parts are no longer kept.
func TestPartsOfAResultAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.forward(t, "peer")
		var waiting entrySet
		waiting.add(0)
		part, parts := make([]byte, maxPart), maxResult/maxPart
		for range parts {
			r.reportOf(waiting, entryResult{code: codePart, data: part})
		}
		if len(r.results) != 0 {
			t.Fatalf("result %v after %d parts", r.results, parts)
		}
		r.reportOf(waiting, entryResult{code: codePart, data: part[:1]})
		var unconfirmed *supervisor.UnconfirmedError
		if len(r.results) != 1 || !errors.As(r.results[0].Err, &unconfirmed) || !errors.Is(unconfirmed.Cause, errResultLost) {
			t.Errorf("results %v, want one that was lost", r.results)
		}
		if n := len(r.with("a").out.batches); n != 0 {
			t.Errorf("%d batches are kept", n)
		}
	})
}
