//go:build unix

package blackbox

import (
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// freeze stops the process of the node for d, and returns once it runs again.
func (n *node) freeze(d time.Duration) {
	n.t.Helper()
	n.Signal(syscall.SIGSTOP)
	time.Sleep(d)
	n.Signal(syscall.SIGCONT)
}

// chatter sends a message every interval until stop is called, which returns the number of messages sent.
func chatter(r *reference, typ string, every time.Duration) (stop func() int) {
	ended, sent := make(chan struct{}), 0
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			if _, err := r.Send(typ, r.n.ID(), map[string]int{"sentAt": sent}); err != nil {
				return
			}
			sent++
			select {
			case <-ticker.C:
			case <-ended:
				return
			}
		}
	})
	return sync.OnceValue(func() int {
		close(ended)
		running.Wait()
		return sent
	})
}

type freezeCase struct {
	peers  int
	every  time.Duration // a message of each peer
	typ    string
	ping   time.Duration // ping interval and pong timeout, half of the handshake timeout
	freeze time.Duration
}

// TestFreezeClosesNoLivingPeer stops the node for longer than its timeouts. Peers whose frames wait in its sockets stay
// connected, a handshake in flight is finished, and a peer that is dead is closed afterwards.
func TestFreezeClosesNoLivingPeer(t *testing.T) {
	many := freezeCase{100, time.Second, refpeer.TypePing, time.Second, 3 * time.Second}
	if fullFreeze() {
		many = freezeCase{2000, 10 * time.Second, refpeer.TypePing, 10 * time.Second, 25 * time.Second}
	}
	for name, tt := range map[string]freezeCase{
		"six that send":  {6, 100 * time.Millisecond, "chat", time.Second, 4 * time.Second},
		"many that ping": many,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, "--ping-interval", tt.ping.String(), "--pong-timeout", tt.ping.String(),
				"--handshake-timeout", (2 * tt.ping).String(), "--max-conns", strconv.Itoa(tt.peers+10), "--rate-refill", "0")
			living := make([]*reference, tt.peers)
			for i := range living {
				living[i] = dialed(n, refpeer.Options{CountOnly: true})
				defer chatter(living[i], tt.typ, tt.every)()
			}
			dead := dialed(n, refpeer.Options{CountOnly: true})
			dead.say("chat", nil)
			var hello <-chan error
			if tt.freeze < 10*time.Second { // the reference peer's own handshake timeout
				hello = handshakeInFlight(n, tt.freeze/2)
			}
			n.freeze(tt.freeze)
			if hello != nil {
				if err := <-hello; err != nil {
					t.Errorf("the handshake in flight: %v", err)
				}
			}
			if e := n.Await("peer_down", "peer", dead.self.ID); e.Num("code") != 1003 {
				t.Errorf("the dead peer was closed with %v", e.Fields)
			}
			closed := 0
			for _, r := range living {
				closed += n.Count("peer_down", "peer", r.self.ID)
			}
			if closed != 0 {
				n.Fatalf("%d of %d living peers closed", closed, tt.peers)
			}
			for _, r := range living {
				r.requireOpen()
			}
		})
	}
}

// fullFreeze reports whether the long runs are wanted.
func fullFreeze() bool { return os.Getenv("HOSTILE_FULL") != "" }

// handshakeInFlight opens a connection that sends its handshake after a pause. The result of the handshake follows.
func handshakeInFlight(n *node, pause time.Duration) <-chan error {
	n.t.Helper()
	result, upgraded := make(chan error, 1), make(chan struct{})
	o := refpeer.Options{Identity: identity(n.t, "late"), Spoil: func(map[string]any) {
		close(upgraded)
		time.Sleep(pause)
	}}
	ctx := withTimeout(n.t)
	go func() {
		conn, err := refpeer.Dial(ctx, n.URL(), o)
		if err == nil {
			n.t.Cleanup(conn.Close)
		}
		result <- err
	}()
	select {
	case <-upgraded:
	case err := <-result:
		n.Fatalf("no upgrade: %v", err)
	}
	return result
}

// TestFreezeDropsNoHonestBacklog stops the node while a peer sends below its rate: none of the messages is dropped. A
// flood afterwards is limited as before.
func TestFreezeDropsNoHonestBacklog(t *testing.T) {
	t.Parallel()
	args, every, freeze := []string{"--rate-burst", "10", "--rate-refill", "8"}, 200*time.Millisecond, 4*time.Second
	if fullFreeze() {
		args, every, freeze = nil, time.Second/18, 18*time.Second
	}
	n := start(t, args...)
	r := dialed(n, refpeer.Options{})
	stop := chatter(r, "chat", every)
	n.AwaitStatus("a message", func(nodetest.Status) bool { return len(n.Messages("chat")) > 0 })
	n.freeze(freeze)
	sent := stop()
	r.say("last", nil)
	n.AwaitStatus("the last message", func(s nodetest.Status) bool {
		return len(n.Messages("last")) == 1 || s.Counters["messagesRateLimited"] > 0
	})
	if got := len(n.Messages("chat")); got != sent || n.Status().Counters["messagesRateLimited"] != 0 {
		n.Fatalf("%d of %d messages arrived, %v dropped", got, sent, n.Status().Counters["messagesRateLimited"])
	}
	t.Logf("%d messages arrived, none was dropped", sent)
	const each = 2000
	for range 2 { // the first one uses the credit up
		flood(r, each)
	}
	s := n.AwaitStatus("the floods", func(s nodetest.Status) bool {
		return len(n.Messages("flood"))+int(s.Counters["messagesRateLimited"]) >= 2*each
	})
	if dropped := int(s.Counters["messagesRateLimited"]); dropped < each {
		n.Fatalf("%d of two floods of %d dropped after the freeze", dropped, each)
	}
}
