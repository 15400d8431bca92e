package actors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/wire"
)

// The responder's first record is a ping, sent at once. Nothing else leaves before the peer's first record has opened,
// and nothing is verified. Then messages pass in both directions.
func TestSessionBeginsWithAPingOfEachSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openSession()
		if got := fmt.Sprint(p.got()); got != "[[ping]]" {
			t.Errorf("the node sent %s before the proof, want a ping", got)
		}
		if err := r.post("early", 1); err != ErrClosed {
			t.Errorf("a message before the proof: %v, want ErrClosed", err)
		}
		if got := reportsOf[*Verified](r); len(got) != 0 {
			t.Errorf("verified by nothing: %+v", got)
		}
		id := reportsOf[*Identified](r)
		if len(id) != 1 || !id[0].Session || id[0].Strength != Claimed {
			t.Errorf("identified %+v", id)
		}
		p.send(p.message(wire.MsgPing, wire.PingPayload{}))
		if got := fmt.Sprint(p.got()); got != "[[ping] [pong]]" {
			t.Errorf("the node sent %s, want ping and pong", got)
		}
		if got := r.strengths(); !slices.Equal(got, []Strength{Session}) {
			t.Errorf("strengths %v", got)
		}
		if err := r.post("later", 1); err != nil {
			t.Error(err)
		}
		msg := p.message("stats", "x")
		p.send(msg)
		if got := r.delivered("stats"); !slices.Equal(got, []string{msg.ID}) {
			t.Errorf("delivered %v", got)
		}
		if got := fmt.Sprint(p.got()); got != "[[ping] [pong] [stats]]" {
			t.Errorf("the node sent %s", got)
		}
		if f := r.slot.handle.Format(); f != (Format{Session: true, AEAD: "aes256gcm", KEM: true}) {
			t.Errorf("format %+v", f)
		}
		r.want(map[Counter]uint64{FramesMalformed: 0, MessagesReceived: 2, MessagesSent: 4})
	})
}

// The key exchange costs as much as a hundred messages: no stranger gets it before the registry has admitted it. Keys
// that are refused then end the handshake with the reason of every invalid one.
func TestSessionKeysWaitForTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		r.parent.silent = true
		p := r.connectSession()
		acked := make(chan wire.HandshakeAckPayload, 1)
		p.pump.Go(func() {
			acked <- p.shake(func(h *wire.HandshakePayload) { h.Session.Key = make([]byte, 32) }) // of low order
		})
		synctest.Wait()
		id := reportsOf[*Identified](r)
		if len(id) != 1 || len(acked) != 0 || r.random.reads.Load() != 0 {
			t.Fatalf("%d identified, %d answers, %d keys made before the verdict", len(id), len(acked), r.random.reads.Load())
		}
		r.tell(r.welcome(100))
		ack := <-acked
		if ack.Accepted || ack.Reason != wire.ReasonInvalidHandshake || ack.Session != nil || ack.Features != nil {
			t.Errorf("answered %+v", ack)
		}
		r.want(map[Counter]uint64{HandshakesRejected: 1, HandshakesAccepted: 0})
	})
}

// A peer that the registry refuses costs no X25519 operation. The test deletes the node's key before the verdict: a
// secret that was derived earlier would be accepted.
func TestSharedSecretWaitsForTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.parent.silent = true
		p := r.connect()
		p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
		synctest.Wait()
		if n := len(reportsOf[*Identified](r)); n != 1 {
			t.Fatalf("identified %d times before the verdict, want 1", n)
		}
		if err := r.node.Keys.Delete(); err != nil {
			t.Fatal(err)
		}
		r.tell(r.welcome(100))
		if ack, _ := p.hearAck(); ack.Accepted || ack.Reason != wire.ReasonInvalidHandshake {
			t.Errorf("answered %+v", ack)
		}
		r.want(map[Counter]uint64{HandshakesRejected: 1, HandshakesAccepted: 0})
	})
}

// A first message that is no ping of the peer ends the connection, unverified. A disconnect is obeyed.
func TestSessionRequiresAPingFirst(t *testing.T) {
	ping := func(p *sessionPeer, from string) []byte {
		msg := p.message(wire.MsgPing, wire.PingPayload{})
		msg.From = from
		return p.record(msg)
	}
	for name, c := range map[string]struct {
		first  func(p *sessionPeer) []byte
		status websocket.StatusCode
		remote bool
	}{
		"message":              {func(p *sessionPeer) []byte { return p.record(p.message("stats", 1)) }, 1002, false},
		"pong":                 {func(p *sessionPeer) []byte { return p.record(p.message(wire.MsgPong, 1)) }, 1002, false},
		"ping of another node": {func(p *sessionPeer) []byte { return ping(p, strings.Repeat("a", 32)) }, 1002, false},
		"malformed":            {func(p *sessionPeer) []byte { return p.sealer.Seal([]byte{0, 1, 0x40}) }, 1002, false},
		"message before ping": {func(p *sessionPeer) []byte {
			return p.record(p.message("stats", 1), p.message(wire.MsgPing, wire.PingPayload{}))
		}, 1002, false},
		"disconnect": {func(p *sessionPeer) []byte {
			return p.record(p.message(wire.MsgDisconnect, wire.DisconnectPayload{Code: 1000, Reason: ReasonDuplicate}))
		}, 1000, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, sessions)
				p := r.openSession()
				p.sendFrame(c.first(p))
				if got := p.status(); got != c.status {
					t.Errorf("closed with %v, want %v", got, c.status)
				}
				if end := r.ended(); end.Remote != c.remote {
					t.Errorf("ended %+v", end)
				}
				if got := fmt.Sprint(p.got()); got != "[[ping]]" || len(reportsOf[*Verified](r)) != 0 ||
					len(r.delivered("stats")) != 0 {
					t.Errorf("sent %s, %d verified, delivered %v", got, len(reportsOf[*Verified](r)), r.delivered("stats"))
				}
			})
		})
	}
}

// A rekey record before the first ping is no message, and the handshake timeout bounds the wait for one.
func TestSessionWithoutAPingEndsAtTheHandshakeTimeout(t *testing.T) {
	for name, rekeys := range map[string]bool{"silent": false, "rekey": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, sessions)
				began := time.Now()
				p := r.openSession()
				if rekeys {
					p.sendFrame(p.sealer.Rekey(nil, time.Since(began)))
				}
				if got := p.status(); got != websocket.StatusProtocolError || time.Since(began) != 10*time.Second {
					t.Errorf("closed with %v after %v, want 1002 after 10 s", got, time.Since(began))
				}
				if got := fmt.Sprint(p.got()); got != "[[ping]]" {
					t.Errorf("the node sent %s, want its ping only", got)
				}
				r.want(map[Counter]uint64{PeersTimedOut: 1, HandshakesAccepted: 1})
			})
		})
	}
}

// In a session the peer's own messages need no clock; those that it relays do.
func TestSessionChecksNoClockOfThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		for _, ahead := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
			own, relayed := p.message("stats", 1), p.message("logs", 1)
			relayed.From = strings.Repeat("b", 32)
			own.Timestamp, relayed.Timestamp = own.Timestamp.Add(ahead), relayed.Timestamp.Add(ahead)
			p.send(own, relayed)
		}
		if stats, logs := len(r.delivered("stats")), len(r.delivered("logs")); stats != 2 || logs != 0 {
			t.Errorf("%d own and %d relayed delivered, want 2 and 0", stats, logs)
		}
		r.want(map[Counter]uint64{MessagesStale: 2})
	})
}

// The sender renews its keys within the hour, in the order of the records.
func TestSessionRekeysEachHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		for range 61 {
			p.send(p.message(wire.MsgPing, wire.PingPayload{}))
			time.Sleep(time.Minute / 2)
			p.send(p.message(wire.MsgPing, wire.PingPayload{}))
			time.Sleep(time.Minute / 2)
		}
		rekeys, pongs := 0, 0
		for _, record := range p.got() {
			if record == nil {
				rekeys++
			} else if slices.Contains(record, "pong") {
				pongs++
			}
		}
		if rekeys != 1 || pongs != 1+2*61 {
			t.Errorf("%d rekeys in 61 minutes, want 1; %d pongs, want one for each ping", rekeys, pongs)
		}
	})
}

// A peer's rekey costs a token like every record. The records behind it open.
func TestSessionFollowsRekeysOfThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		for range 4 {
			p.sendFrame(p.sealer.Rekey(nil, 0))
			p.send(p.message("stats", 1))
		}
		if n := len(r.delivered("stats")); n != 4 {
			t.Errorf("%d delivered, want 4", n)
		}
		p.sendFrame(p.sealer.Rekey(nil, 0)) // the fifth needless one in a minute
		if got := p.status(); got != websocket.StatusProtocolError {
			t.Errorf("closed with %v, want 1002", got)
		}
	})
}

// Each message of a record reaches the dedup set with the key of its own ID: also behind a malformed message, one in
// JSON form and a relayed one, which have none.
func TestSessionPassesTheKeyOfEachID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, sessions)
		p := r.openProven()
		list := p.many("stats", 20, 1)
		list[3].From = strings.Repeat("b", 32)
		list[5].ID = strings.Repeat("i", wire.MaxIDBytes) // the longest text of the binary form
		list[7].Timestamp = list[7].Timestamp.In(time.FixedZone("", 3600))
		list[9].Payload = json.RawMessage("{")
		var want []string
		for i, msg := range list {
			if i != 3 && i != 7 && i != 9 {
				want = append(want, msg.ID)
			}
		}
		p.send(list...)
		synctest.Wait()
		r.dedup.mu.Lock()
		defer r.dedup.mu.Unlock()
		if got := r.dedup.keyed[1:]; !slices.Equal(got, want) { // behind the ping
			t.Errorf("with a key: %q, want %q", got, want)
		}
		if n := len(r.dedup.ids); n != 20 {
			t.Errorf("%d IDs entered, want 20: the ping's and 19 of the record", n)
		}
	})
}
