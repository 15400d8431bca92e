package supervisor

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Kinds of records that a relay attacks.
const (
	firstRecord   = "first"   // the key confirmation
	messageRecord = "message" // of three, each with one message
	rekeyRecord   = "rekey"   // after an hour
)

// A relay replays, drops, swaps, reflects, changes or truncates a record of each kind, in both directions. The receiver
// closes with 1002 at once; no message is delivered twice, altered or out of order; the nodes connect again.
func TestRelayCannotChangeRecords(t *testing.T) {
	for _, kind := range []string{firstRecord, messageRecord, rekeyRecord} {
		for _, fromDialer := range []bool{true, false} {
			for _, attack := range recordAttacks() {
				way := map[bool]string{true: "of the initiator", false: "of the responder"}[fromDialer]
				t.Run(fmt.Sprint(attack.name, " ", kind, " ", way), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { attackRecord(t, kind, fromDialer, attack) })
				})
			}
		}
	}
}

func attackRecord(t *testing.T, kind string, fromDialer bool, attack recordAttack) {
	n := memnet.New(1)
	a, b := startNode(t, n, 1), startNode(t, n, 2)
	relay := &recordRelay{
		recordAttack: attack, t: t, host: n.Attach("10.0.0.9"), to: b.addr, fromDialer: fromDialer,
		begins: func(record []byte) bool { return kind != rekeyRecord || record[0] == byte(session.Rekey) },
		armed:  kind == firstRecord,
	}
	relay.start()
	for _, ip := range []string{"10.0.0.1", "10.0.0.2"} { // so that no close overtakes a second record of the relay
		n.SetLatency(ip, "10.0.0.9", 10*time.Millisecond)
		n.SetLatency("10.0.0.9", ip, 10*time.Millisecond)
	}
	from, to := b, a
	if fromDialer {
		from, to = a, b
	}
	_, err := a.Connect(&Peer{Address: "10.0.0.9:9091"})
	if unopened := kind == firstRecord && attack.opens == 0 && !fromDialer; err == nil && unopened {
		t.Error("Connect succeeds without a record of the responder")
	} else if kind != firstRecord && err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // the responder verifies the dialler
	want := sendUnderAttack(t, kind, relay, from, to)
	time.Sleep(2 * time.Minute)
	closer, other := to, from
	if attack.reflect {
		closer, other = from, to
	}
	if status := relay.status(closer == a); status != websocket.StatusProtocolError {
		t.Errorf("closed with %d, want 1002", status)
	}
	closer.wantCount(actors.FramesMalformed, 1)
	other.wantCount(actors.FramesMalformed, 0)
	if got := to.got("chat"); !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
	a.wantSlots(0, 0)
	b.wantSlots(0, 0)
	if relay.past == nil {
		t.Error("no record was attacked")
	}
	a.dial(b)
	want = append(want, mustSend(t, from, to))
	if got := to.got("chat"); !slices.Equal(got, want) {
		t.Errorf("over the next connection: delivered %q, want %q", got, want)
	}
}

// sendUnderAttack sends messages while the relay attacks a record of the given kind, and returns the IDs of those that
// must be delivered.
func sendUnderAttack(t *testing.T, kind string, relay *recordRelay, from, to *testNode) (delivered []string) {
	switch kind {
	case rekeyRecord:
		time.Sleep(59 * time.Minute)
		delivered = append(delivered, mustSend(t, from, to))
		relay.arm() // the ping after the hour follows the rekey
	case messageRecord:
		delivered = append(delivered, mustSend(t, from, to))
		relay.arm()
		for i := range 3 {
			msg := from.to(to.id(), "chat", i)
			if err := from.Send(to.id(), msg); err != nil {
				break // the session has ended
			}
			time.Sleep(time.Second)
			if i < relay.opens {
				delivered = append(delivered, msg.ID)
			}
		}
	}
	return delivered
}

// mustSend sends a message, waits for its delivery and returns its ID.
func mustSend(t *testing.T, from, to *testNode) string {
	t.Helper()
	msg := from.to(to.id(), "chat", "text")
	if err := from.Send(to.id(), msg); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	return msg.ID
}
