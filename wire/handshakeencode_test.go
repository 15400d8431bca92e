package wire

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// handshakeForms are payloads whose optional keys are missing, empty and present.
func handshakeForms() (hellos []HandshakePayload, acks []HandshakeAckPayload) {
	key := bytes.Repeat([]byte{7}, 32)
	odd := Identity{Name: "a\"<é\u2028\xff", CreatedAt: time.Date(1999, 1, 2, 3, 4, 5, 6, time.FixedZone("", -3600))}
	for _, id := range []Identity{alice, {}, odd} {
		for _, features := range [][]string{nil, {}, {"x", "<y>\n"}} {
			for _, challenge := range []Base64{nil, {}, key} {
				for _, offer := range []*SessionOffer{
					nil, {}, {AEADs: []string{}, Key: Base64{}, KEM: Base64{}}, {AEADs: []string{"a", "b"}, Key: key, KEM: key},
				} {
					hellos = append(hellos, HandshakePayload{
						Identity: id, Challenge: challenge, Version: id.Name, Features: features, Session: offer,
					})
				}
				for _, answer := range []*SessionAnswer{nil, {}, {AEAD: "a", Key: key, KEM: key}} {
					acks = append(acks, HandshakeAckPayload{
						Identity: id, ChallengeResponse: challenge, Accepted: answer != nil, Reason: id.Name,
						Features: features, Session: answer,
					})
				}
			}
		}
	}
	return hellos, acks
}

func TestAppendHandshakeMatchesMarshalJSON(t *testing.T) {
	check := func(m *Message, payload any, got []byte, err error) {
		t.Helper()
		full := *m
		if fault := full.Renew(payload); fault != nil {
			t.Fatal(fault)
		}
		full.ID, full.Timestamp, full.ReplyTo = m.ID, m.Timestamp, m.ReplyTo
		want, fault := full.AppendJSON([]byte("x"))
		if fault != nil || err != nil || !bytes.Equal(got, want) {
			t.Errorf("got  %s, %v\nwant %s, %v", got, err, want, fault)
		}
	}
	hellos, acks := handshakeForms()
	for _, reply := range []string{"", "answered"} {
		m := &Message{ID: "i", Type: MsgHandshake, From: "f\n", To: "t", Timestamp: alice.CreatedAt, ReplyTo: reply}
		for i := range hellos {
			got, err := AppendHandshake([]byte("x"), m, &hellos[i])
			check(m, hellos[i], got, err)
		}
		for i := range acks {
			got, err := AppendHandshakeAck([]byte("x"), m, &acks[i])
			check(m, acks[i], got, err)
		}
	}
}

func TestAppendHandshakeRefusesUnwritableTimes(t *testing.T) {
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, created := range []bool{true, false} {
		m, id := &Message{ID: "i", Type: MsgHandshake}, alice
		if created {
			id.CreatedAt = late
		} else {
			m.Timestamp = late
		}
		dst := make([]byte, 1, 2000)
		if got, err := AppendHandshake(dst, m, &HandshakePayload{Identity: id}); err == nil || !slices.Equal(got, dst) {
			t.Errorf("handshake: %q, %v", got, err)
		}
		if got, err := AppendHandshakeAck(dst, m, &HandshakeAckPayload{Identity: id}); err == nil || !slices.Equal(got, dst) {
			t.Errorf("ack: %q, %v", got, err)
		}
	}
}

func TestAppendHandshakeAllocatesNothing(t *testing.T) {
	hellos, acks := handshakeForms()
	m, dst := &Message{ID: "i", Type: MsgHandshake}, make([]byte, 0, 8000)
	for i := range hellos {
		if n := testing.AllocsPerRun(5, func() { _, _ = AppendHandshake(dst, m, &hellos[i]) }); n != 0 {
			t.Fatalf("%+v: %v allocations", hellos[i], n)
		}
	}
	for i := range acks {
		if n := testing.AllocsPerRun(5, func() { _, _ = AppendHandshakeAck(dst, m, &acks[i]) }); n != 0 {
			t.Fatalf("%+v: %v allocations", acks[i], n)
		}
	}
}
