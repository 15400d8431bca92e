package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/tests/refpeer"
	reference "github.com/Snider/go-p2p/tests/refpeer/session"
	"github.com/Snider/go-p2p/wire"
)

// generator returns random numbers with the seed in the test's log.
func generator(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func bytesOf(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestSessionsMatchTheReference derives the keys of the same sessions here and in the reference peer, each side once
// ours, and compares records in both directions over two rekeys.
func TestSessionsMatchTheReference(t *testing.T) {
	r := generator(t)
	for i := range 40 {
		aead, kem := session.Preferred()[i%2], i/2%2 == 1
		handshake, ack := bytesOf(r, r.IntN(2000)), bytesOf(r, r.IntN(2000))
		static, theirs := bytesOf(r, 32), reference.LoadKeyPair(bytesOf(r, 32))
		ours, err := crypto.NodeManagerFromPrivateKey(static, "ours", crypto.RoleDual, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		side := referenceSide{theirs, reference.LoadKeyPair(bytesOf(r, 32)), bytesOf(r, 32)}
		match := side.respond
		if i/4%2 == 1 {
			match = side.initiate
		}
		seal, open, s, out, back, err := match(r, ours, aead, kem, handshake, ack)
		if err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		for n := range 12 {
			text := bytesOf(r, 1+r.IntN(500))
			record := seal.Seal(append(make([]byte, 1, 1000), text...))
			if typ, got, err := out.Open(record); err != nil || typ != reference.TypeMessages || !bytes.Equal(got, text) {
				t.Fatalf("session %d, record %d does not open in the reference: %v", i, n, err)
			}
			typ, got, err := open.Open(back.Seal(reference.TypeMessages, text), 0)
			if err != nil || typ != session.Messages || !bytes.Equal(got, text) {
				t.Fatalf("session %d, record %d of the reference does not open: %v", i, n, err)
			}
			if n%5 != 4 {
				continue
			}
			typ, _, err1 := open.Open(back.Rekey(), 0)
			_, _, err2 := out.Open(seal.Rekey(nil, 0))
			if err := errors.Join(err1, err2); err != nil || typ != session.Rekey {
				t.Fatalf("session %d, rekey: %v", i, err)
			}
		}
		if len(s.IKM) != map[bool]int{false: 128, true: 160}[kem] {
			t.Fatalf("session %d: the reference used %d bytes of input", i, len(s.IKM))
		}
	}
}

// referenceSide is the reference peer's end of a session.
type referenceSide struct {
	static, ephemeral reference.KeyPair
	seed              []byte // of the KEM's encapsulation
}

// respond pairs our initiator with the reference as the responder. out and back are the reference's directions: that of
// our records, and its own.
func (s referenceSide) respond(r *rand.Rand, ours *crypto.NodeManager, aead session.AEAD, kem bool, m1, m2 []byte) (
	seal session.Sealer, open session.Opener, schedule *reference.Schedule, out, back *reference.Direction, err error,
) {
	offer, err := session.NewOffer(bytes.NewReader(bytesOf(r, 96)), kem)
	if err != nil {
		return
	}
	public, key := ours.PublicKey(), offer.PublicKey()
	results, err := reference.Respond(s.static, s.ephemeral, public[:], key[:])
	if err != nil {
		return
	}
	answer := session.PeerKeys{Key: crypto.PublicKey(s.ephemeral.Public)}
	if kem {
		if answer.KEM, results.KEM, err = reference.Encapsulate(offer.KEM(), s.seed); err != nil {
			return
		}
	}
	if schedule, err = reference.Derive(aead.String(), m1, m2, results); err != nil {
		return
	}
	seal, open, err = offer.Finish(ours, crypto.PublicKey(s.static.Public), answer, aead, m1, m2)
	return seal, open, schedule, schedule.I2R, schedule.R2I, err
}

// initiate pairs our responder with the reference as the initiator.
func (s referenceSide) initiate(r *rand.Rand, ours *crypto.NodeManager, aead session.AEAD, kem bool, m1, m2 []byte) (
	seal session.Sealer, open session.Opener, schedule *reference.Schedule, out, back *reference.Direction, err error,
) {
	keys := session.PeerKeys{Key: crypto.PublicKey(s.ephemeral.Public)}
	pair := reference.NewKEM(bytesOf(r, 64))
	if kem {
		keys.KEM = pair.Offer
	}
	answer, err := session.NewAnswer(bytes.NewReader(bytesOf(r, 96)), ours, crypto.PublicKey(s.static.Public), keys)
	if err != nil {
		return
	}
	public, key := ours.PublicKey(), answer.PublicKey()
	results, err := reference.Initiate(s.static, s.ephemeral, public[:], key[:])
	if err != nil {
		return
	}
	if kem {
		if results.KEM, err = pair.Decapsulate(answer.KEM()); err != nil {
			return
		}
	}
	if schedule, err = reference.Derive(aead.String(), m1, m2, results); err != nil {
		return
	}
	seal, open = answer.Finish(aead, m1, m2)
	return seal, open, schedule, schedule.R2I, schedule.I2R, nil
}

const (
	senderID   = "0123456789abcdef0123456789abcdef"
	receiverID = "fedcba9876543210fedcba9876543210"
)

// TestMessageFormsMatchTheReference encodes random messages here and in the reference peer, and decodes each in the
// other.
func TestMessageFormsMatchTheReference(t *testing.T) {
	r := generator(t)
	d := wire.NewRecordDecoder(senderID, receiverID, 1<<20)
	for i := range 1_000 {
		m := randomMessage(r)
		if m.Validate() != nil {
			continue
		}
		e := envelope(m)
		ours, err := wire.AppendMessage(nil, m, senderID, receiverID)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := refpeer.EncodeBinary(e, senderID, receiverID)
		if err == nil && !bytes.Equal(ours, refpeer.Frame(theirs)) {
			t.Fatalf("message %d, %+v:\n ours %x\ntheirs %x", i, e, ours, refpeer.Frame(theirs))
		}
		if err != nil {
			if theirs, err = json.Marshal(e); err != nil {
				t.Fatal(err)
			}
		}
		split, err := refpeer.SplitMessages(ours)
		if err != nil || len(split) != 1 {
			t.Fatalf("message %d, %x: %v", i, ours, err)
		}
		if got, _, err := refpeer.DecodeMessage(split[0], senderID, receiverID); err != nil || got.TS != e.TS ||
			fmt.Sprintf("%q", got) != fmt.Sprintf("%q", e) {
			t.Fatalf("message %d, %q\nin the reference %q, %v", i, e, got, err)
		}
		d.Reset(refpeer.Frame(theirs), nil)
		got, err := d.Next()
		if err != nil || got.ID != m.ID || got.Type != m.Type || got.From != m.From || got.To != m.To ||
			!got.Timestamp.Equal(m.Timestamp) || got.ReplyTo != m.ReplyTo || !bytes.Equal(got.Payload, m.Payload) {
			t.Fatalf("message %d, %+v\nfrom the reference %+v, %v", i, m, got, err)
		}
	}
}

// TestMalformedFormsMatchTheReference changes single bytes of records: both refuse the same ones, in the same way.
func TestMalformedFormsMatchTheReference(t *testing.T) {
	r := generator(t)
	d := wire.NewRecordDecoder(senderID, receiverID, 1<<20)
	refused := 0
	for range 1_000 {
		var record []byte
		for range 1 + r.IntN(3) {
			if form, err := refpeer.EncodeBinary(envelope(randomMessage(r)), senderID, receiverID); err == nil {
				record = append(record, refpeer.Frame(form)...)
			}
		}
		for range 1 + r.IntN(2) {
			if len(record) > 0 {
				record[r.IntN(min(len(record), 30))] = byte(r.Uint32())
			}
		}
		if len(record) == 0 {
			continue
		}
		ours, theirs := verdicts(d, record), referenceVerdicts(record)
		if ours != theirs {
			t.Fatalf("record %q:\n ours %s\ntheirs %s", record, ours, theirs)
		}
		if strings.ContainsAny(ours, "!x") {
			refused++
		}
	}
	if refused < 100 {
		t.Errorf("only %d records were refused: are they changed?", refused)
	}
}

// verdicts writes the fields of each accepted message, x for a malformed one, ! for a broken record.
func verdicts(d *wire.RecordDecoder, record []byte) string {
	var all strings.Builder
	d.Reset(record, nil)
	for {
		m, err := d.Next()
		switch {
		case err == nil:
			all.WriteString(verdict(m.ID, m.Type, m.From, m.To, m.Timestamp, m.ReplyTo, m.Payload))
		case errors.Is(err, wire.ErrMalformed):
			all.WriteString("x; ")
		case errors.Is(err, io.EOF):
			return all.String()
		default:
			return all.String() + "!"
		}
	}
}

func referenceVerdicts(record []byte) string {
	var all strings.Builder
	messages, fault := refpeer.SplitMessages(record)
	for _, message := range messages {
		e, form, err := refpeer.DecodeMessage(message, senderID, receiverID)
		if err != nil || form == refpeer.FormJSON {
			all.WriteString("x; ") // no changed message is valid JSON
			continue
		}
		at, _ := time.Parse(time.RFC3339Nano, e.TS)
		all.WriteString(verdict(e.ID, e.Type, e.From, e.To, at, e.ReplyTo, e.Payload))
	}
	if fault != nil {
		return all.String() + "!"
	}
	return all.String()
}

func verdict[T ~string](id string, typ T, from, to string, at time.Time, replyTo string, payload []byte) string {
	return fmt.Sprintf("ok %q %q %q %q %d %q %q; ", id, typ, from, to, at.UnixNano(), replyTo, payload)
}

func envelope(m *wire.Message) refpeer.Envelope {
	return refpeer.Envelope{
		ID: m.ID, Type: string(m.Type), From: m.From, To: m.To, TS: refpeer.Stamp(m.Timestamp), Payload: m.Payload,
		ReplyTo: m.ReplyTo,
	}
}

// randomMessage returns a message that is often at a limit of the binary form.
func randomMessage(r *rand.Rand) *wire.Message {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	uuid := func() string {
		s := fmt.Sprintf("%x", bytesOf(r, 16))
		return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
	}
	text := func(n int) string { return strings.Repeat("é", n/2) + strings.Repeat("t", n%2) }
	m := &wire.Message{
		ID: pick(uuid(), uuid(), strings.ToUpper(uuid()), text(1), text(63), text(64), "{", uuid()+"x"),
		Type: wire.MessageType(pick("ping", "pong", "disconnect", "error", "get_stats", "stats", "start_miner", "stop_miner",
			"miner_ack", "deploy", "deploy_ack", "get_logs", "logs", "chat", "chat", "other", text(1024), text(1025))),
		From:      pick(senderID, senderID, receiverID, "x", text(1024), text(1025)),
		To:        pick(receiverID, receiverID, senderID, "", "x", text(1024), text(1025)),
		Timestamp: time.Unix(0, r.Int64()*int64(1-2*r.IntN(2))).UTC(),
		Payload:   json.RawMessage(pick("null", `"text"`, `{"a":[1,2.5e3,"é"]}`, "0", "[]", `"`+text(300)+`"`)),
		ReplyTo:   pick("", "", uuid(), strings.ToUpper(uuid()), text(64), "x"),
	}
	switch r.IntN(8) {
	case 0:
		m.Timestamp = time.Date(r.IntN(9000), 1, 1, 0, 0, 0, 1, time.UTC)
	case 1:
		m.Timestamp = time.Now().In(time.FixedZone("", 19800))
	}
	return m
}
