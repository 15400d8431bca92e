package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// cast broadcasts a message of the type "test" from a member.
func (h *host) cast(text string) supervisor.BroadcastResult {
	msg, err := wire.NewMessage(testType, h.id(), "", text)
	if err != nil {
		panic(err)
	}
	return h.BroadcastContext(context.Background(), msg)
}

// freeze ends the connections of a member whose process stands still: the others hear nothing of it.
func (h *host) freeze() {
	h.bus.Freeze(true)
	h.net.Crash(false)
}

// A peer whose home was killed is connected to another member, which does not know of the kill and therefore has not
// decided the claim. A broadcast reaches the peer once, whether or not its sender knows of the kill.
func TestBroadcastReachesPeerWithUndecidedClaim(t *testing.T) {
	for name, knows := range map[string]bool{"sender does not know": false, "sender knows": true} {
		t.Run(name, func(t *testing.T) {
			inMesh(t, "a b c", func(t *testing.T, m *mesh) {
				p := m.peer("p", []string{"a"})
				m.pass(time.Second)
				if home := m.home(p); home.name != "a" {
					t.Fatalf("home %s", home.name)
				}
				if knows {
					m.bus.Cut("a", "c", true)
					m.pass(1500 * time.Millisecond)
				}
				m.hosts["a"].freeze()
				defer m.hosts["a"].kill(false)
				go func() { _, _ = p.ConnectAddress(t.Context(), m.hosts["b"].address()) }()
				m.pass(800 * time.Millisecond)
				if homes := m.homes(p.id()); len(homes) > 0 {
					t.Fatalf("homes %q, want the claim undecided", homes)
				}
				began := time.Now()
				sum := m.hosts["c"].cast("news")
				if sum.Sent != 1 || len(sum.Failed) != 0 || sum.Refused != nil {
					t.Errorf("result %+v", sum)
				}
				if took := time.Since(began); took > 2500*time.Millisecond {
					t.Errorf("result after %v", took)
				}
				m.pass(time.Second)
				if got := p.messages(); len(got) != 1 {
					t.Errorf("the peer got %q", got)
				}
			})
		})
	}
}
