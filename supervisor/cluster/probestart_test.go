package cluster

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/actors"
)

// A probe of a killed member ends after its next start was heard: that start is not lost, and is logged once.
func TestProbeOfAnEarlierStartLosesNoMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		earlier := r.b.boot
		r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 1})
		r.onProbed(&probed{member: r.b, boot: earlier, gone: true})
		r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 2})
		if n := r.log.counts[actors.MembersLost]; n != 0 || strings.Count(r.lines.String(), "a member is alive") != 1 {
			t.Errorf("lost %d times, want none; logged %s", n, r.lines)
		}
		r.onProbed(&probed{member: r.b, boot: 2, gone: true})
		if !r.b.lost {
			t.Error("a probe of the present start does not count")
		}
	})
}
