package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

// answering makes a member answer with its name and the question, unless the question is "panic" or "wait".
func (h *host) answering() {
	h.OnAsk(func(ctx context.Context, question []byte) ([]byte, error) {
		switch string(question) {
		case "panic":
			panic("asked for")
		case "wait":
			<-ctx.Done()
			return nil, ctx.Err()
		case "long":
			return make([]byte, 2<<20), nil
		}
		return []byte(h.name + ":" + string(question)), nil
	})
}

// answersOf formats answers: "b=b:x c!" if c does not answer.
func answersOf(list []supervisor.MemberAnswer) string {
	var text []string
	for _, a := range list {
		switch {
		case errors.Is(a.Err, supervisor.ErrUnanswered):
			text = append(text, a.Member+"!")
		case a.Err != nil:
			text = append(text, a.Member+"?"+a.Err.Error())
		default:
			text = append(text, a.Member+"="+string(a.Answer))
		}
	}
	return strings.Join(text, " ")
}

// TestAskMembersNamesThoseWithoutAnswer asks members that answer, panic, are slow, cut off, lost or gone. Each has its
// answer or its error within two seconds.
func TestAskMembersNamesThoseWithoutAnswer(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		m.pass(5 * time.Second)
		a := m.hosts["a"]
		ask := func(question, want string, most time.Duration, names ...string) {
			t.Helper()
			began := time.Now()
			got := answersOf(a.AskMembers(t.Context(), []byte(question), names...))
			if took := time.Since(began); got != want || took > most {
				t.Errorf("%.10q: %s in %v, want %s in %v", question, got, took, want, most)
			}
		}
		ask("x", "b=b:x c=c:x", time.Second)
		ask("x", "c=c:x", time.Second, "c")
		ask("x", "", 0, "z")
		ask("panic", "b! c!", time.Second)
		ask("long", "b! c!", time.Second)
		ask("wait", "b! c!", 2*time.Second)
		ask(strings.Repeat("x", 5000), "b?a question of 5000 bytes: at most 4096 c?a question of 5000 bytes: at most 4096", 0)
		m.bus.CutBoth("a", "c", true)
		ask("x", "b=b:x c!", 2*time.Second)
		m.bus.HealAll()
		m.hosts["c"].bus.Freeze(true)
		m.pass(5 * time.Second)
		ask("x", "b=b:x c!", time.Second) // lost: no question, which it would not answer
		m.hosts["c"].bus.Freeze(false)
		m.pass(5 * time.Second)
		m.hosts["c"].stop()
		m.pass(time.Second)
		ask("x", "b=b:x", time.Second)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if got := a.AskMembers(ended, []byte("x")); len(got) != 1 || !errors.Is(got[0].Err, context.Canceled) {
			t.Errorf("with an ended context: %v", got)
		}
	})
}

// TestAskEndsAtLeave stops a member whose question is not answered yet.
func TestAskEndsAtLeave(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(5 * time.Second)
		a, began := m.hosts["a"], time.Now()
		time.AfterFunc(100*time.Millisecond, a.engine.Leave)
		got := answersOf(a.AskMembers(t.Context(), []byte("wait")))
		if took := time.Since(began); got != "b!" || took > 200*time.Millisecond {
			t.Errorf("%s after %v", got, took)
		}
	})
}

// TestAnswersAreBounded asks more questions at once than a member answers.
func TestAnswersAreBounded(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(5 * time.Second)
		for range 8 {
			go m.hosts["a"].AskMembers(t.Context(), []byte("wait"))
		}
		m.pass(100 * time.Millisecond)
		if got := answersOf(m.hosts["a"].AskMembers(t.Context(), []byte("x"))); got != "b!" {
			t.Errorf("the ninth question: %s", got)
		}
		m.pass(5 * time.Second)
		if got := answersOf(m.hosts["a"].AskMembers(t.Context(), []byte("x"))); got != "b=b:x" {
			t.Errorf("behind them: %s", got)
		}
	})
}

// TestAskRefusesMalformedBodies sends bodies that no member of this version sends.
func TestAskRefusesMalformedBodies(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		m.pass(5 * time.Second)
		subject := fmt.Sprintf("p2p.%s.m.b.ask", nodeID())
		for _, body := range []string{"", "\x02x", strings.Repeat("\x01", 5000)} {
			answer, err := m.hosts["a"].bus.Request(t.Context(), subject, []byte(body))
			if err != nil || string(answer) != "\x01\x01" {
				t.Errorf("%.10q: answer %q, %v", body, answer, err)
			}
			if err := m.hosts["a"].bus.Publish(subject, []byte(body)); err != nil {
				t.Error(err)
			}
		}
		m.pass(time.Second)
		if _, err := m.hosts["a"].bus.Request(t.Context(), subject+"x", nil); !errors.Is(err, cluster.ErrNoResponders) {
			t.Errorf("an unknown subject: %v", err)
		}
	})
}

// TestClusterEventsAreCounted counts claims, snapshots and a lost member.
func TestClusterEventsAreCounted(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		p := m.peer("p", []string{"a"})
		m.pass(5 * time.Second)
		if home := m.home(p); home.name != "a" {
			t.Fatalf("the home is %s", home.name)
		}
		a := m.hosts["a"]
		snapshots := a.Counters()[actors.ClusterSnapshots.String()]
		if claims := a.Counters()[actors.ClusterClaims.String()]; claims == 0 || snapshots == 0 {
			t.Errorf("%d claims, %d snapshots", claims, snapshots)
		}
		m.wantCount("a", actors.ClusterTaken, 0)
		m.wantCount("a", actors.MembersLost, 0)
		m.bus.Cut("b", "a", true)
		m.pass(5 * time.Second)
		m.wantCount("a", actors.MembersLost, 1)
		m.bus.HealAll()
		m.pass(5 * time.Second)
		m.wantCount("a", actors.MembersLost, 1)
		m.wantCount("a", actors.ClusterSnapshots, snapshots+1)
	})
}
