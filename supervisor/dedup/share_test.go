package dedup

import (
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// visit connects an identity, sends n messages and disconnects. It returns the number of messages taken.
func visit(d *Set, peer, group string, n int, at time.Time) (taken int) {
	a := d.Join(peer, group)
	defer a.Leave()
	return send(a, peer, n, at)
}

func send(a *Account, label string, n int, at time.Time) (taken int) {
	for i := range n {
		msg := seenMessage(fmt.Sprint(label, "/", i), label)
		want := a.Known(msg, at)
		got := a.Seen(msg, at)
		if got == actors.Fresh {
			taken++
		}
		if got != want {
			panic(fmt.Sprint("Known says ", want, ", Seen ", got))
		}
	}
	return taken
}

// A burst of identities from one address fills an eighth of the set and no more. Other addresses, exempt peers and
// connected identities are unaffected, and expired entries free their capacity.
func TestDepartedIdentitiesFillAnEighth(t *testing.T) {
	const limit = 4000 // 8000 over both generations
	d := newDedup(t, limit, 1000)
	resident := d.Join("resident", "a")
	if got := send(resident, "first", 1, dedupStart); got != 1 {
		t.Fatal("the resident's first message is refused")
	}
	total := 0
	for i := range 1000 {
		total += visit(d, fmt.Sprint("churn", i), "a", 100, dedupStart)
	}
	if total != 2*limit/8 {
		t.Errorf("churned identities of one address entered %d messages, want %d", total, 2*limit/8)
	}
	for name, taken := range map[string]int{
		"a connected identity of the address": send(resident, "resident", 50, dedupStart),
		"another address":                     visit(d, "other", "b", 50, dedupStart),
		"an exempt peer":                      visit(d, "friend", "", 50, dedupStart),
		"an identity that comes back":         visit(d, "churn0", "a", 150, dedupStart) + 100,
	} {
		want := map[bool]int{true: 150, false: 50}[name == "an identity that comes back"]
		if taken != want {
			t.Errorf("%s: %d taken, want %d", name, taken, want)
		}
	}
	if got := visit(d, "new", "a", 10, dedupStart); got != 0 {
		t.Errorf("a new identity of the full address entered %d", got)
	}
	for i := range 10 { // no entry was forgotten
		expect(t, d, fmt.Sprint("churn", i), fmt.Sprint("churn", i, "/5"), "", testTTL, actors.Duplicate)
	}
	later := dedupStart.Add(testTTL)
	d.Rotate(later)
	d.Rotate(later.Add(testTTL))
	if got := visit(d, "new", "a", 10, later.Add(testTTL)); got != 10 {
		t.Errorf("after everything has expired a new identity entered %d, want 10", got)
	}
	resident.Leave()
}

// Identities of many addresses fill half of the set and no more, and leave the rest to connected and exempt peers.
func TestDepartedIdentitiesOfAllAddressesFillHalf(t *testing.T) {
	const limit = 4000 // 8000 over both generations
	d := newDedup(t, limit, 1000)
	resident := d.Join("resident", "a")
	defer resident.Leave()
	if got := send(resident, "first", 1, dedupStart); got != 1 {
		t.Fatal("the resident's first message is refused")
	}
	total := 0
	for i := range 1000 {
		total += visit(d, fmt.Sprint("churn", i), fmt.Sprint("group", i%100), 100, dedupStart)
	}
	if total != limit {
		t.Errorf("churned identities of 100 addresses entered %d messages, want %d", total, limit)
	}
	if got := visit(d, "new", "another", 10, dedupStart); got != 0 {
		t.Errorf("a new identity of another address entered %d, want none", got)
	}
	if got := send(resident, "resident", 500, dedupStart) + visit(d, "friend", "", 500, dedupStart); got != 1000 {
		t.Errorf("a connected and an exempt peer entered %d messages, want 1000", got)
	}
	d.Rotate(dedupStart.Add(testTTL))
	d.Rotate(dedupStart.Add(2 * testTTL))
	if got := d.departed.Load(); got != 0 {
		t.Errorf("%d entries are charged after everything has expired", got)
	}
}

// The share follows connections: a second connection keeps an identity connected, a returning one is not charged, and
// the share is zero when all entries have expired.
func TestDepartedShareFollowsConnections(t *testing.T) {
	d := newDedup(t, 4000, 1000)
	charged := func(want int64, when string) {
		t.Helper()
		if got := d.groups["a"].departed.Load(); got != want {
			t.Errorf("%s: %d entries are charged, want %d", when, got, want)
		}
	}
	first, second := d.Join("x", "a"), d.Join("x", "a")
	send(first, "1", 10, dedupStart)
	send(second, "2", 5, dedupStart)
	charged(0, "connected")
	first.Leave()
	first.Leave() // has no further effect
	charged(0, "one of two connections has ended")
	second.Leave()
	charged(15, "departed")
	third := d.Join("x", "a")
	charged(15, "back, without a message")
	send(third, "3", 1, dedupStart)
	charged(0, "back")
	third.Leave()
	charged(16, "departed again")
	d.Rotate(dedupStart.Add(testTTL))
	charged(16, "one rotation later")
	visit(d, "y", "a", 3, dedupStart.Add(testTTL))
	charged(19, "with another identity")
	d.Rotate(dedupStart.Add(2 * testTTL))
	charged(3, "after the first has expired")
	d.Rotate(dedupStart.Add(3 * testTTL))
	if len(d.peers) != 0 || len(d.groups) != 0 {
		t.Errorf("%d peers and %d groups are kept", len(d.peers), len(d.groups))
	}
	silent := d.Join("z", "a")
	silent.Leave()
	if len(d.peers) != 0 || len(d.groups) != 0 {
		t.Error("a peer without a message is kept")
	}
}
