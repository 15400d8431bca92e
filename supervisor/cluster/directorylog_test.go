package cluster

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// logRig is a directory at the time of a broadcast: a change before the broadcast is one millisecond earlier, a
// change during it one millisecond later. The changes of setup are older than the log.
type logRig struct {
	*directory
	a, b  *member
	began time.Time
}

func newLogRig(setup, before, during func(r *logRig)) *logRig {
	r := &logRig{directory: newDirectory(&member{}), a: &member{name: "a"}, b: &member{name: "b"}}
	for i, step := range []func(r *logRig){setup, before, during} {
		if i == 2 {
			r.began = time.Now()
			time.Sleep(time.Millisecond)
		}
		if step != nil {
			step(r)
		}
		if i == 0 {
			time.Sleep(logKept + 1)
			r.expireLog(time.Now())
		}
		time.Sleep(time.Millisecond)
	}
	return r
}

func claims(name byte, peer string, term uint64) func(r *logRig) {
	return func(r *logRig) { r.set(peer, r.member(name), term) }
}

func ends(name byte, peer string) func(r *logRig) {
	return func(r *logRig) { r.drop(peer, r.member(name)) }
}

func (r *logRig) member(name byte) *member {
	if name == 'a' {
		return r.a
	}
	return r.b
}

func all(steps ...func(r *logRig)) func(r *logRig) {
	return func(r *logRig) {
		for _, step := range steps {
			step(r)
		}
	}
}

// TestLogKnowsWhichPeersAMemberHasHeld asks for the peers of a since the beginning of a broadcast.
func TestLogKnowsWhichPeersAMemberHasHeld(t *testing.T) {
	for name, row := range map[string]struct {
		setup, before, during func(r *logRig)
		want                  []string
	}{
		"holds it":                       {claims('a', "p", 1), nil, nil, []string{"p"}},
		"had given it up":                {claims('a', "p", 1), ends('a', "p"), nil, nil},
		"gives it up meanwhile":          {claims('a', "p", 1), nil, ends('a', "p"), []string{"p"}},
		"takes it meanwhile":             {nil, nil, claims('a', "p", 1), []string{"p"}},
		"another one takes it":           {nil, nil, claims('b', "p", 1), nil},
		"another one gives it up":        {claims('b', "p", 1), nil, ends('b', "p"), nil},
		"another one has the better one": {all(claims('a', "p", 1), claims('b', "p", 2)), nil, nil, nil},
		"another one had it before":      {claims('a', "p", 1), claims('b', "p", 2), nil, nil},
		"another one takes it from a":    {claims('a', "p", 1), nil, claims('b', "p", 2), []string{"p"}},
		"another one has a weaker one":   {all(claims('a', "p", 2), claims('b', "p", 1)), nil, nil, []string{"p"}},
		"claims it below another one":    {claims('b', "p", 2), nil, claims('a', "p", 1), nil},
		"gives up two, takes one again": {
			all(claims('a', "z", 1), claims('a', "p", 1)), nil, all(ends('a', "z"), ends('a', "p"), claims('a', "z", 2)),
			[]string{"p", "z"},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newLogRig(row.setup, row.before, row.during)
			if got := r.heldSince("a", r.began); !slices.Equal(got, row.want) {
				t.Errorf("%s: a has held %q, want %q", name, got, row.want)
			}
		})
	}
}

// TestLogKnowsWhichPeersMayHaveMissedABroadcast asks about p, which a does not hold any more when the broadcast reaches
// a. Whether the log names p as moved from a must agree with that.
func TestLogKnowsWhichPeersMayHaveMissedABroadcast(t *testing.T) {
	for name, row := range map[string]struct {
		setup, before, during  func(r *logRig)
		missed, relied, listed bool // without and with another connection to peers of a; in movedSince
	}{
		"its end is not known":       {claims('a', "p", 1), nil, nil, true, true, false},
		"nothing is known":           {nil, nil, nil, true, true, false},
		"it had ended":               {claims('a', "p", 1), ends('a', "p"), nil, false, false, false},
		"it ends meanwhile":          {claims('a', "p", 1), nil, ends('a', "p"), true, true, false},
		"another claim had ended":    {claims('b', "p", 1), ends('b', "p"), nil, true, true, false},
		"it had ended, and is again": {claims('a', "p", 1), ends('a', "p"), claims('a', "p", 2), true, true, true},
		"it had ended, another peer of a ends": {
			all(claims('a', "p", 1), claims('a', "q", 1)), ends('a', "p"), ends('a', "q"), false, false, false,
		},
		"it had ended, b had it": {claims('a', "p", 1), all(ends('a', "p"), claims('b', "p", 2)), nil, false, false, false},
		"it had ended, b takes it": {
			claims('a', "p", 1), ends('a', "p"), claims('b', "p", 2), false, true, true,
		},
		"it had ended, b takes it with another term": {
			all(claims('a', "p", 1), claims('b', "p", 2)), ends('a', "p"), claims('b', "p", 3), false, true, true,
		},
		"it had ended, b announces the same claim": {
			all(claims('a', "p", 1), claims('b', "p", 2)), ends('a', "p"), claims('b', "p", 2), false, false, false,
		},
		"it had ended, b has it and takes another peer": {
			all(claims('a', "p", 1), claims('b', "p", 2)), ends('a', "p"), claims('b', "q", 3), false, false, false,
		},
		"b takes it before a gives it up": {
			claims('a', "p", 1), claims('a', "q", 1), claims('b', "p", 2), true, true, false,
		},
		"a had claimed it, b takes it": {nil, claims('a', "p", 1), claims('b', "p", 2), true, true, false},
		"it ends after b has taken it": {
			claims('a', "p", 1), nil, all(claims('b', "p", 2), ends('a', "p")), true, true, false,
		},
		"b had ended, a takes it": {claims('b', "p", 1), ends('b', "p"), claims('a', "p", 2), true, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newLogRig(row.setup, row.before, row.during)
			if got := r.missedMove("p", "a", r.began, false); got != row.missed {
				t.Errorf("%s: missed is %v, want %v", name, got, row.missed)
			}
			if got := r.missedMove("p", "a", r.began, true); got != row.relied {
				t.Errorf("%s: missed behind another connection is %v, want %v", name, got, row.relied)
			}
			if got := slices.Contains(r.movedSince("a", r.began), "p"); got != row.listed {
				t.Errorf("%s: moved is %v, want %v", name, got, row.listed)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // a claims p again below b
		r := newLogRig(all(claims('a', "p", 1), claims('b', "p", 5)), ends('a', "p"), claims('a', "p", 2))
		if got := r.movedSince("a", r.began); got != nil {
			t.Errorf("moved are %q, want none: the home is the one of before", got)
		}
	})
}
