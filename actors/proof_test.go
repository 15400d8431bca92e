package actors

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// From the message that verifies the peer on, nothing reaches the handlers until the registry has answered or the
// connection ends. Then everything does, once and in order.
func TestMessagesWaitForTheProof(t *testing.T) {
	for name, release := range map[string]func(*rig, *remote){
		"confirmed":        func(r *rig, _ *remote) { r.tell(&RoutePublished{}) },
		"the socket's end": func(_ *rig, p *remote) { p.ws.CloseNow() },
		"our own end": func(r *rig, _ *remote) { // at once, not when the socket's end has come
			r.Stall(sockettest.ThereIP, sockettest.HereIP)
			r.slot.handle.Close(1000, "")
		},
		"stopped":           func(r *rig, _ *remote) { r.node.System.Root.Stop(r.slot.handle.pid) },
		"the actor's panic": func(r *rig, _ *remote) { r.tell((*CloseGracefully)(nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.parent.slow = true
				p := r.connect()
				p.mute = true
				p.shake()
				var want []string
				for range 3 {
					msg := p.message("stats", nil)
					p.sendFrame(p.frame(msg))
					want = append(want, msg.ID)
				}
				if got := r.delivered("stats"); len(got) != 0 {
					t.Errorf("before: %v, want none", got)
				}
				release(r, p)
				if name == "stopped" || name == "the actor's panic" {
					want = want[:1] // the frames behind the proof end with the actor, as those in its mailbox do
				}
				if got := r.delivered("stats"); !slices.Equal(got, want) {
					t.Errorf("then: %v, want %v", got, want)
				}
			})
		})
	}
}

// A reply counts only from a verified peer.
func TestUnverifiedPeerAnswersNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		replies := make(chan string, 10)
		r.node.OnReply = func(_ string, msg *wire.Message) { replies <- msg.ReplyTo }
		p := r.connect()
		p.mute = true
		p.shake()
		relayed := p.message("stats", nil)
		relayed.From, relayed.ReplyTo = newKeys(t, "elsewhere").Identity().ID, "early"
		p.sendFrame(p.frame(relayed))
		proof := p.message("stats", nil)
		proof.ReplyTo = "proof"
		p.sendFrame(p.frame(proof))
		synctest.Wait()
		close(replies)
		var got []string
		for id := range replies {
			got = append(got, id)
		}
		if !slices.Equal(got, []string{"proof"}) {
			t.Errorf("replies %v, want the one of the verified peer", got)
		}
	})
}

// A peer proves itself twice, first with an unmarked frame and then with a bound one, and the connection ends before
// the registry has answered either: all its messages are delivered, in order.
func TestEndDeliversMessagesBehindTwoProofs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := unansweredRig(t)
		p.shakeWith()
		want := []string{p.send("stats", nil).ID}
		p.bind(p.ownBind)
		for range 3 {
			want = append(want, p.send("stats", nil).ID)
		}
		synctest.Wait()
		p.ws.CloseNow()
		if got := r.delivered("stats"); !slices.Equal(got, want) {
			t.Errorf("delivered %v, want %v", got, want)
		}
	})
}

// Messages behind an ack are counted if the connection ends before the registry has decided about the peer.
func TestEndBeforeWelcomeCountsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.parent.silent = true
		r.awaitDial(func(p *remote, hello wire.HandshakePayload) {
			p.ack(hello)
			for range 3 {
				p.send("stats", nil)
			}
			p.ws.CloseNow()
		})
		r.dialHere("")
		r.want(map[Counter]uint64{MessagesAfterGoodbye: 3})
		if !r.stopped() {
			t.Error("the connection stands")
		}
	})
}
