package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// authored returns a message of an author to the node.
func authored(author, text string) *wire.Message {
	msg, err := wire.NewMessage(testType, author, nodeID(), text)
	if err != nil {
		panic(err)
	}
	return msg
}

// relay has a peer send a message to the node as it is.
func (h *host) relay(msg *wire.Message) {
	h.mesh.t.Helper()
	if err := h.Send(nodeID(), msg); err != nil {
		h.mesh.t.Errorf("%s: %v", h.name, err)
	}
}

// wantDelivered requires how often the members have delivered a text, one second later.
func (m *mesh) wantDelivered(text string, want int) {
	m.t.Helper()
	m.pass(time.Second)
	total := 0
	for _, h := range m.hosts {
		for _, got := range h.messages() {
			if h.id() == nodeID() && got == fmt.Sprintf("%q", text) {
				total++
			}
		}
	}
	if total != want {
		m.t.Errorf("%q was delivered %d times, want %d", text, total, want)
	}
}

func (m *mesh) wantCount(member string, c actors.Counter, want uint64) {
	m.t.Helper()
	if got := m.hosts[member].Counters()[c.String()]; got != want {
		m.t.Errorf("%s: %s is %d, want %d", member, c, got, want)
	}
}

// A message reaches each member by another way: direct, and through two relays at once. It is delivered once, whether
// its author is connected to a member or nowhere.
func TestMessageOverSeveralMembersIsDeliveredOnce(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		author := m.peer("author", []string{"a"})
		one, two := m.peer("one", []string{"b"}), m.peer("two", []string{"c"})
		m.pass(time.Second)
		for i := range 20 {
			msg := authored(author.id(), fmt.Sprint("home ", i))
			one.relay(msg)
			author.relay(msg)
			two.relay(msg)
			nowhere := authored(fmt.Sprint("author", i), fmt.Sprint("nowhere ", i))
			two.relay(nowhere)
			one.relay(nowhere)
		}
		m.pass(time.Second)
		for i := range 20 {
			m.wantDelivered(fmt.Sprint("home ", i), 1)
			m.wantDelivered(fmt.Sprint("nowhere ", i), 1)
		}
		m.wantCount("a", actors.ClusterChecks, 0)
		for _, name := range []string{"a", "b", "c"} {
			m.wantCount(name, actors.ClusterUnchecked, 0)
		}
	})
}

// The messages of a connection keep their order, although some of them wait for another member.
func TestCheckedMessagesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.bus.Delay(20*time.Millisecond, 60*time.Millisecond)
		m.members("a", "b", "c")
		relay := m.peer("relay", []string{"b"})
		m.pass(time.Second)
		var want []string
		for i := range 40 {
			author := relay.id()
			if i%3 == 0 {
				author = fmt.Sprint("author", i)
			}
			relay.relay(authored(author, fmt.Sprint(i)))
			want = append(want, fmt.Sprintf("%q", fmt.Sprint(i)))
			time.Sleep(7 * time.Millisecond)
		}
		m.pass(2 * time.Second)
		if got := m.hosts["b"].messages(); !slices.Equal(got, want) {
			t.Errorf("delivered %v", got)
		}
	})
}

// A peer moves, and sends its earlier messages again.
func TestPeerThatMovesIsHeardOnce(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a"})
		m.pass(time.Second)
		first := authored(p.id(), "first")
		p.relay(first)
		m.wantDelivered("first", 1)
		p.stop()
		p = m.peer("peer", []string{"b"})
		m.pass(time.Second)
		m.check()
		p.relay(first)
		p.relay(authored(p.id(), "second"))
		m.wantDelivered("first", 1)
		m.wantDelivered("second", 1)
		m.wantCount("b", actors.MessagesDuplicate, 1)
	})
}

// After a member was killed, messages that its peers stamped earlier are refused, and nothing is delivered twice.
func TestPeerOfAKilledMemberIsHeardOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		a := m.member("a")
		m.member("b")
		p := m.peer("peer", []string{"a"})
		other := m.peer("other", []string{"b"})
		m.pass(time.Second)
		first, late, others := authored(p.id(), "first"), authored(p.id(), "late"), authored(other.id(), "others")
		p.relay(first)
		m.wantDelivered("first", 1)
		a.kill(false)
		p.stop()
		p = m.peer("peer", []string{"b"})
		m.pass(5 * time.Second)
		m.check()
		p.relay(first)
		p.relay(late)
		p.relay(authored(p.id(), "second"))
		other.relay(others)
		m.wantDelivered("first", 1)
		m.wantDelivered("late", 0)
		m.wantDelivered("second", 1)
		m.wantDelivered("others", 1)
		m.wantCount("b", actors.MessagesStale, 2)
	})
}

// A member that stops hands over its delivered messages: its peer is heard once, and nothing is refused.
func TestPeerOfAStoppedMemberIsHeardOnce(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a", "b"})
		m.pass(time.Minute)
		first, late := authored(p.id(), "first"), authored(p.id(), "late")
		p.relay(first)
		m.wantDelivered("first", 1)
		for _, name := range m.homes(p.id()) {
			m.hosts[name].stop()
		}
		m.pass(5 * time.Second)
		p.relay(first)
		p.relay(late)
		m.wantDelivered("first", 1)
		m.wantDelivered("late", 1)
	})
}
