package peerbook

import (
	"slices"
	"testing"
)

func TestGetAllocatesNothing(t *testing.T) {
	b := New()
	b.Add(Peer{ID: "a", Name: "a"})
	if n := testing.AllocsPerRun(100, func() { b.Get("a"); b.Get("unknown") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCutKeepsListsThatFit(t *testing.T) {
	p := Peer{ID: "a", Name: "a", Role: "dual"}
	p.Features, p.Addresses = NewTextList("session/1", "confirm"), NewTextList("x:1")
	if n := testing.AllocsPerRun(100, func() { p.cut() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	p.Features = NewTextList("confirm", "tab\t", "session/1")
	if want := []string{"confirm", "session/1"}; !p.cut() || !slices.Equal(p.Features.All(), want) {
		t.Errorf("%q", p.Features.All())
	}
	p.Addresses = NewTextList("1", "2", "3", "4", "5")
	if want := []string{"1", "2", "3", "4"}; !p.cut() || !slices.Equal(p.Addresses.All(), want) {
		t.Errorf("%q", p.Addresses.All())
	}
}

func TestContainsMatchesWholeTexts(t *testing.T) {
	l := NewTextList("confirm", "session/1", "rate/2/1")
	for text, want := range map[string]bool{
		"confirm": true, "session/1": true, "rate/2/1": true, "rate": false, "": false, "confirm\nsession/1": false,
	} {
		if l.Contains(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if (TextList{}).Contains("") {
		t.Error("the empty list contains a text")
	}
}
