package cluster

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// The stamp of a message may be ahead of the end of a former home by the difference between the fastest clock and that
// of the member that has received the message now, if two members can have accepted it within one window.
func TestMarginFollowsTheClocks(t *testing.T) {
	const window = ruleWindow
	for _, row := range []struct {
		name   string
		former time.Duration // its clock minus ours
		stamp  stamped
		want   time.Duration
	}{
		{"one third member ahead", 0, stamped{}, ruleSkew},
		{"former home ahead", time.Minute, stamped{}, time.Minute},
		{"former home behind", -time.Minute, stamped{}, ruleSkew},
		{"none is faster", -time.Minute, stamped{ahead: ruleSkew}, 0},
		{"both members ahead", time.Hour, stamped{ahead: time.Hour}, 0},
		{"both ahead, the former home more", time.Hour, stamped{ahead: time.Hour - time.Second}, time.Second},
		{"the receiving member is behind", 0, stamped{ahead: -time.Minute}, time.Minute + ruleSkew},
		{"three windows", 3 * window, stamped{}, 3 * window},
		{"more than three windows", 3*window + 1, stamped{}, ruleSkew},
		{"adjusted", time.Minute, stamped{adjusted: true}, 0},
	} {
		if got := ruleSeen().margin(former{ahead: row.former}, row.stamp); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// A stamp arrives on the clock of the asked member, from a member of this version and of an earlier one.
func TestStampIsConvertedForTheAskedMember(t *testing.T) {
	now := time.Now()
	asker, asked := ruleSeen(), ruleSeen()
	asker.clocks["asked"], asked.clocks["asker"] = time.Hour, -time.Hour
	for _, adjusted := range []bool{false, true} {
		var c check
		asker.stampFor(&c, &supervisor.SeenCheck{Stamp: now, Adjusted: adjusted}, "asked")
		want := stamped{at: now.Add(time.Hour), adjusted: adjusted, ahead: -time.Hour}
		if got := asked.stampOf(&c, "asker"); got != want {
			t.Errorf("adjusted %v: %+v, want %+v", adjusted, got, want)
		}
	}
	earlier := &check{stamp: now, adjusted: true}
	want := stamped{at: now.Add(time.Hour - askWithin), ahead: -time.Hour}
	if got := asked.stampOf(earlier, "asker"); got != want {
		t.Errorf("of an earlier version: %+v, want %+v", got, want)
	}
	var c check
	asker.stampFor(&c, &supervisor.SeenCheck{Stamp: now, Adjusted: true}, "unknown")
	if want := (check{stamp: now}); c != want {
		t.Errorf("for a member whose clock is not known: %+v, want %+v", c, want)
	}
}

// A message in the session of a peer that this member holds, stamped after all former homes, was received by none that
// has stopped: the asked member does not refuse it.
func TestLatestStampIsNotStale(t *testing.T) {
	now := time.Now()
	asker, asked := ruleSeen(), ruleSeen()
	asker.clocks["asked"] = 0
	asker.held["author"] = []former{{member: "up", ended: now.Add(-time.Second)}, {member: "dead", ended: now}}
	late := former{member: "dead", boot: 9, ended: now.Add(time.Minute), at: now}
	asked.former["author"] = []former{late, {member: "up", ended: now, at: now}}
	for _, row := range []struct {
		name   string
		about  supervisor.SeenCheck
		latest bool
	}{
		{"stamped later", supervisor.SeenCheck{Author: "author", Stamp: now.Add(1), Adjusted: true}, true},
		{"not adjusted", supervisor.SeenCheck{Author: "author", Stamp: now.Add(1)}, false},
		{"stamped at the end of one", supervisor.SeenCheck{Author: "author", Stamp: now, Adjusted: true}, false},
		{"of a peer held elsewhere", supervisor.SeenCheck{Author: "other", Stamp: now.Add(1), Adjusted: true}, false},
	} {
		c := check{author: "author"}
		asker.stampFor(&c, &row.about, "asked")
		further, stale := asked.consult(c.author, asked.stampOf(&c, "asker"), &member{name: "asker"})
		if c.latest != row.latest || stale == row.latest || len(further) != 1 {
			t.Errorf("%s: latest is %v, stale is %v, further %v", row.name, c.latest, stale, further)
		}
	}
}
