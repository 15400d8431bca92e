package cluster

import (
	"slices"
	"testing"
)

func TestDirectoryPrefersTheHigherTerm(t *testing.T) {
	a, b, c := &member{name: "a"}, &member{name: "b"}, &member{name: "c"}
	d := newDirectory(&member{})
	expect := func(step string, want *member) {
		t.Helper()
		if got := d.home("peer"); got != want {
			t.Errorf("%s: home %+v, want %+v", step, got, want)
		}
	}
	expect("empty", nil)
	d.set("peer", a, 5)
	expect("one claim", a)
	d.set("peer", b, 4)
	expect("a lower term", a)
	d.set("peer", c, 5)
	expect("an equal term of a greater name", c)
	d.set("peer", b, 6)
	expect("a higher term", b)
	d.setLost(b, true)
	expect("the winner is lost", c)
	d.setLost(b, false)
	expect("it is back", b)
	d.drop("peer", b)
	d.drop("peer", c)
	expect("two are released", a)
	if d.drop("peer", b) {
		t.Error("a claim was dropped twice")
	}
	d.drop("peer", a)
	expect("all are released", nil)
	if len(d.peers) != 0 || a.held+b.held+c.held != 0 {
		t.Errorf("%d peers, %d, %d and %d claims left", len(d.peers), a.held, b.held, c.held)
	}
}

func TestDirectoryReplacesTheClaimsOfOneMember(t *testing.T) {
	a, b := &member{name: "a"}, &member{name: "b"}
	d := newDirectory(&member{})
	d.set("1", a, 1)
	d.set("2", a, 2)
	d.set("2", b, 3)
	d.replace(a, []holding{{"2", 2}, {"3", 4}})
	if got, want := d.of(a), []holding{{"2", 2}, {"3", 4}}; !slices.Equal(got, want) {
		t.Errorf("claims of a: %v, want %v", got, want)
	}
	if got, want := d.of(b), []holding{{"2", 3}}; !slices.Equal(got, want) {
		t.Errorf("claims of b: %v, want %v", got, want)
	}
	if a.held != 2 || b.held != 1 {
		t.Errorf("%d and %d claims, want 2 and 1", a.held, b.held)
	}
}

// Of two claims the higher term wins, of equal terms that of the greater name, in both orders of arrival.
func TestOneOfTwoClaimsOutranksTheOther(t *testing.T) {
	a, b := &member{name: "a"}, &member{name: "b"}
	for _, row := range []struct {
		a, b uint64
		want *member
	}{{5, 4, a}, {4, 5, b}, {5, 5, b}} {
		ours, theirs := &claimed{holder: a, term: row.a}, &claimed{holder: b, term: row.b}
		if got := ours.outranks(theirs); got != (row.want == a) || theirs.outranks(ours) == got || !ours.outranks(nil) {
			t.Errorf("terms %d and %d: a outranks b: %v, want that of %s to win", row.a, row.b, got, row.want.name)
		}
		for _, order := range [][]*claimed{{ours, theirs}, {theirs, ours}} {
			d := newDirectory(&member{})
			for _, c := range order {
				d.set("peer", c.holder, c.term)
			}
			if got := d.home("peer"); got != row.want {
				t.Errorf("terms %d and %d: home %s, want %s", row.a, row.b, got.name, row.want.name)
			}
		}
	}
}

func TestDirectoryListsTheClaimsOfAPeer(t *testing.T) {
	a, b, c := &member{name: "a"}, &member{name: "b"}, &member{name: "c"}
	d := newDirectory(&member{})
	for _, m := range []*member{a, b, c} {
		d.set("peer", m, 1)
	}
	d.set("other", c, 1)
	d.setLost(a, true)
	if got, want := d.others("peer", b), []*member{c, a}; !slices.Equal(got, want) {
		t.Errorf("the others are %v, want c and a", got)
	}
	if got, want := d.lostHolders("peer"), []string{"a"}; !slices.Equal(got, want) {
		t.Errorf("lost are %q, want %q", got, want)
	}
	if got := d.missing(c, []holding{{"other", 7}, {"new", 1}}); !slices.Equal(got, []string{"peer"}) {
		t.Errorf("missing are %q, want the peer", got)
	}
	if !d.drop("peer", a) || d.drop("peer", a) {
		t.Error("a claim is dropped once, and reported as dropped then only")
	}
}

func TestMemberJudgesItsSequence(t *testing.T) {
	inStep := member{boot: 1, next: 5}
	syncing := member{boot: 1, next: 5, sync: &syncing{}}
	for _, test := range []struct {
		name string
		m    member
		msg  message
		want step
	}{
		{"unknown", member{}, message{head: head{boot: 1}, seq: 5}, stepRestart},
		{"next", inStep, message{head: head{boot: 1}, seq: 5}, stepApply},
		{"again", inStep, message{head: head{boot: 1}, seq: 4}, stepIgnore},
		{"gap", inStep, message{head: head{boot: 1}, seq: 6}, stepSync},
		{"another start", inStep, message{head: head{boot: 2}, seq: 5}, stepRestart},
		{"while syncing", syncing, message{head: head{boot: 1}, seq: 5}, stepWait},
		{"another start while syncing", syncing, message{head: head{boot: 2}, seq: 5}, stepRestart},
	} {
		if got := test.m.judge(&test.msg); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
