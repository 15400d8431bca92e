package blackbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// TestSessionsWithTheReferencePeer: every cipher, with and without ML-KEM.
func TestSessionsWithTheReferencePeer(t *testing.T) {
	t.Parallel()
	gcm, chacha := session.AES256GCM, session.ChaCha20Poly1305
	plain, hybrid := start(t), start(t, "--session-pq")
	for name, tt := range map[string]struct {
		n       *node
		as      role
		options refpeer.SessionOptions
		aead    string // empty: either
		hybrid  bool
	}{
		"accepts both":           {n: plain, as: responder},
		"accepts GCM alone":      {plain, responder, refpeer.SessionOptions{AEADs: []string{gcm}}, gcm, false},
		"accepts ChaCha20 first": {plain, responder, refpeer.SessionOptions{AEADs: []string{chacha, gcm}}, chacha, false},
		"accepts a known one":    {plain, responder, refpeer.SessionOptions{AEADs: []string{"rot13", chacha}}, chacha, false},
		"answers a KEM":          {plain, responder, refpeer.SessionOptions{KEM: true}, "", true},
		"offers no KEM":          {plain, initiator, refpeer.SessionOptions{}, "", false},
		"answered with ChaCha20": {plain, initiator, refpeer.SessionOptions{NoHardware: true}, chacha, false},
		"offers a KEM":           {hybrid, initiator, refpeer.SessionOptions{}, "", true},
		"offers a KEM in vain":   {hybrid, initiator, refpeer.SessionOptions{NoKEM: true}, "", false},
		"accepts without a KEM":  {hybrid, responder, refpeer.SessionOptions{}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := tt.as.inSession(tt.n, refpeer.Options{Session: &tt.options, Pong: true})
			if r.Hybrid() != tt.hybrid || tt.aead != "" && r.AEAD() != tt.aead {
				t.Errorf("%s, hybrid %v; want %q, %v", r.AEAD(), r.Hybrid(), tt.aead, tt.hybrid)
			}
			converse(t, tt.n, r)
		})
	}
}

// TestSessionCarriesEveryForm: messages in both forms, several in one record, around rekeys, with the fields that have
// flags of their own.
func TestSessionCarriesEveryForm(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t)
		r := as.inSession(n, refpeer.Options{})
		var want []refpeer.Envelope
		next := func(change func(*refpeer.Envelope)) refpeer.Envelope {
			e := r.envelope("chat", len(want))
			change(&e)
			want = append(want, e)
			return e
		}
		same := func(*refpeer.Envelope) {}
		asJSON, err := refpeer.EncodeJSON(next(same))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			r.SendRecord(session.TypeMessages, asJSON),
			r.SendTogether(next(same), next(same), next(same)),
			r.Rekey(),
			r.SendTogether(next(func(e *refpeer.Envelope) { e.ID = "no UUID" }),
				next(func(e *refpeer.Envelope) { e.To = "" }),
				next(func(e *refpeer.Envelope) { e.To = strings.Repeat("7", 32) }),
				next(func(e *refpeer.Envelope) { e.From = strings.Repeat("8", 32) }),
				next(func(e *refpeer.Envelope) { e.ReplyTo = e.ID }),
				next(func(e *refpeer.Envelope) { e.ReplyTo = "no UUID either" }),
				next(func(e *refpeer.Envelope) { e.Type = "a type without a code" })),
			r.Rekey(),
			r.Rekey(),
			r.SendTogether(next(same)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		n.Await("message", "message.id", want[len(want)-1].ID, "peer", r.self.ID)
		var got []refpeer.Envelope
		for _, e := range n.All() {
			if e.Kind == "message" {
				got = append(got, e.Message())
			}
		}
		if len(got) != len(want) {
			n.Fatalf("%d messages arrived, want %d", len(got), len(want))
		}
		for i := range want {
			if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
				t.Errorf("message %d arrived as %+v, want %+v", i, got[i], want[i])
			}
		}
		if c := n.Status().Counters; c["framesMalformed"] != 0 || c["messagesDuplicate"] != 0 {
			t.Errorf("framesMalformed %v, messagesDuplicate %v; want 0", c["framesMalformed"], c["messagesDuplicate"])
		}
	})
}

// TestDuplicatesAreKnownAcrossForms: one message as binary, as JSON and, over another connection, as SMSG.
func TestDuplicatesAreKnownAcrossForms(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := responder.inSession(n, refpeer.Options{})
	once := r.envelope("chat", map[string]any{"once": true})
	asJSON, err := refpeer.EncodeJSON(once)
	if err != nil {
		t.Fatal(err)
	}
	r.sendEnvelope(once)
	if err := r.SendRecord(session.TypeMessages, asJSON); err != nil {
		t.Fatal(err)
	}
	n.Await("message", "message.id", r.say("end", nil))
	old := dialed(n, refpeer.Options{})
	old.prove()
	old.sendEnvelope(once)
	n.Await("message", "message.id", old.say("end", nil))
	if got := n.Messages("chat"); len(got) != 1 {
		t.Errorf("arrived %d times, want once", len(got))
	}
	n.AwaitCounter("messagesDuplicate", 2)
}

// TestNodeWritesBothForms: the node's own messages, and that a burst shares records of at most 64 KiB.
func TestNodeWritesBothForms(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t, "--stdin")
		r := as.inSession(n, refpeer.Options{})
		form := func() string { // of the last message
			records := r.Records()
			forms := records[len(records)-1].Forms
			return forms[len(forms)-1]
		}
		n.ok("send", r.self.ID, `{"form":"binary"}`)
		if e := r.next("chat"); string(e.Payload) != `{"form":"binary"}` || form() != refpeer.FormBinary {
			t.Errorf("in the form %s arrived %+v", form(), e)
		}
		long := strings.Repeat("t", 1025)
		n.ok("send", r.self.ID, `"json"`, "--type", long)
		if e := r.next(long); string(e.Payload) != `"json"` || form() != refpeer.FormJSON {
			t.Errorf("in the form %s arrived %+v", form(), e)
		}
		n.ok("broadcast", `"all"`)
		if e := r.next("chat"); e.To != "" || e.From != n.ID() || string(e.Payload) != `"all"` {
			t.Errorf("the broadcast arrived as %+v", e)
		}

		const burst = 2000
		before := len(r.Records())
		lines := make([]string, burst)
		for i := range lines {
			payload := fmt.Sprintf("%d %s", i, strings.Repeat("p", 200))
			line, err := json.Marshal(map[string]any{"to": r.self.ID, "type": "burst", "payload": payload})
			if err != nil {
				t.Fatal(err)
			}
			lines[i] = string(line)
		}
		n.WriteLines(lines...)
		for i := range burst {
			if e := r.next("burst"); !strings.HasPrefix(string(e.Payload), fmt.Sprintf("\"%d ", i)) {
				n.Fatalf("message %d arrived as %.40s", i, e.Payload)
			}
		}
		records := r.Records()[before:]
		t.Logf("%d messages in %d records", burst, len(records))
		for _, record := range records {
			if plaintext := len(record.Raw) - session.Overhead; plaintext > 64<<10 && len(record.Forms) > 1 {
				t.Errorf("a record of %d bytes with %d messages", plaintext, len(record.Forms))
			}
		}
		if r.Unopened() != 0 {
			t.Errorf("the reference peer cannot decode %d messages", r.Unopened())
		}
	})
}

// TestNothingPrecedesTheFirstRecord: until the peer's first record has opened, the node sends its own ping and nothing
// else, the peer is not up, and Connect has not returned.
func TestNothingPrecedesTheFirstRecord(t *testing.T) {
	forBoth(t, func(t *testing.T, as role) {
		n := start(t, "--handshake-timeout", "3s")
		o := refpeer.Options{Identity: identity(t, "silent"), Session: &refpeer.SessionOptions{Manual: true}}
		var conn *refpeer.Conn
		connected := make(chan result, 1)
		if as == responder {
			c, err := refpeer.Dial(withTimeout(t), n.URL(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			conn = c
		} else {
			s := listening(t, o)
			go func() { connected <- n.run("connect", s.Addr(), "--timeout", "20s") }()
			conn = accept(n, s, o.Identity).Conn
		}
		if r := n.run("send", o.Identity.ID, "early"); r.code == 0 {
			t.Error("send to a peer that has sent no record: exit 0")
		}
		<-conn.Done()
		if as == initiator {
			if r := <-connected; r.code == 0 {
				t.Errorf("connect succeeded without a record of the peer: %+v", r)
			}
		}
		records := conn.Records()
		if len(records) != 1 || !slices.Equal(records[0].Forms, []string{refpeer.FormBinary}) {
			t.Errorf("%d records arrived: %+v; want one with one message", len(records), records)
		}
		if e, err := conn.Recv(withTimeout(t)); err != nil || e.Type != refpeer.TypePing {
			t.Errorf("the first message is %+v, %v; want a ping", e, err)
		}
		if up := n.Count("peer_up") + n.Count("peer_verified"); up != 0 {
			t.Errorf("%d peer_up and peer_verified, want none", up)
		}
	})
}

// TestSessionEndsGracefullyByDisconnectOnly: closing the WebSocket says nothing.
func TestSessionEndsGracefullyByDisconnectOnly(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := responder.inSession(n, refpeer.Options{})
	if err := r.Disconnect("shift is over", 1001); err != nil {
		t.Fatal(err)
	}
	down := n.Await("peer_down", "peer", r.self.ID)
	if down.Num("code") != 1001 || down.Str("reason") != "shift is over" || down.Fields["remote"] != true {
		t.Errorf("peer_down %s, want code 1001, the peer's reason, remote true", down.Line)
	}
}
