package refpeer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// sessions connects two peers with session/1.
func sessions(t *testing.T, initiator, responder SessionOptions) (a, b *Conn) {
	t.Helper()
	a, b = pair(t, Options{Identity: identity(t, "a"), Session: &initiator},
		Options{Identity: identity(t, "b"), Session: &responder})
	return a, b
}

func TestSessionCarriesMessagesBothWays(t *testing.T) {
	for _, tt := range []struct {
		initiator, responder SessionOptions
		aead                 string
		hybrid               bool
	}{
		{aead: session.AES256GCM},
		{initiator: SessionOptions{AEADs: []string{session.AES256GCM}}, aead: session.AES256GCM},
		{
			initiator: SessionOptions{AEADs: []string{"unknown", session.ChaCha20Poly1305, session.AES256GCM}},
			aead:      session.ChaCha20Poly1305,
		},
		{responder: SessionOptions{NoHardware: true}, aead: session.ChaCha20Poly1305},
		{
			initiator: SessionOptions{AEADs: []string{session.AES256GCM}}, responder: SessionOptions{NoHardware: true},
			aead: session.AES256GCM,
		},
		{initiator: SessionOptions{KEM: true}, aead: session.AES256GCM, hybrid: true},
		{initiator: SessionOptions{KEM: true}, responder: SessionOptions{NoKEM: true}, aead: session.AES256GCM},
	} {
		t.Run(fmt.Sprintf("%+v %+v", tt.initiator, tt.responder), func(t *testing.T) {
			a, b := sessions(t, tt.initiator, tt.responder)
			for _, c := range []*Conn{a, b} {
				if c.AEAD() != tt.aead || c.Hybrid() != tt.hybrid {
					t.Fatalf("session with %q, hybrid %v", c.AEAD(), c.Hybrid())
				}
			}
			exchange(t, a, b)
			exchange(t, b, a)
		})
	}
}

// exchange sends messages from one peer to the other: in both forms, several in one record, and across two rekeys.
func exchange(t *testing.T, from, to *Conn) {
	t.Helper()
	ctx := testContext(t)
	var want []string
	next := func() Envelope {
		e, err := NewEnvelope("chat", from.self.ID, to.self.ID, len(want))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, e.ID)
		return e
	}
	json, err := EncodeJSON(next())
	if err := errors.Join(
		err,
		from.SendRecord(session.TypeMessages, json),
		from.SendTogether(next(), next(), next()),
		from.Rekey(),
		from.SendEnvelope(next()),
		from.Rekey(), from.Rekey(),
		from.SendEnvelope(next()),
	); err != nil {
		t.Fatal(err)
	}
	for n, id := range want {
		got, err := to.RecvType(ctx, "chat")
		if err != nil || got.ID != id || got.From != from.self.ID || got.To != to.self.ID ||
			string(got.Payload) != fmt.Sprint(n) {
			t.Fatalf("message %d arrived as %+v, %v", n, got, err)
		}
	}
	var seen []string
	for _, r := range to.Records() {
		seen = append(seen, fmt.Sprintf("%d:%s", r.Type, strings.Join(r.Forms, ",")))
	}
	if got := strings.Join(seen, "; "); got != "1:binary; 1:json; 1:binary,binary,binary; 2:; 1:binary; 2:; 2:; "+
		"1:binary" {
		t.Errorf("records: %s", got)
	}
}

func TestSessionFallsBackToBoundSMSG(t *testing.T) {
	for _, tt := range []struct{ initiator, responder Options }{
		{Options{Session: &SessionOptions{}}, Options{Bind: true}},
		{Options{Bind: true}, Options{Session: &SessionOptions{}}},
	} {
		ctx := testContext(t)
		tt.initiator.Identity, tt.responder.Identity = identity(t, "a"), identity(t, "b")
		a, b := pair(t, tt.initiator, tt.responder)
		for _, way := range [][2]*Conn{{a, b}, {b, a}} {
			if _, err := way[0].Send("chat", "", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := way[1].Recv(ctx); err != nil || way[1].AEAD() != "" || way[1].Unbound() != 0 {
				t.Fatalf("session with %q, %d unbound frames, %v", way[1].AEAD(), way[1].Unbound(), err)
			}
		}
	}
}

func TestResponderRefusesOffers(t *testing.T) {
	own := identity(t, "own")
	offer := func(change func(map[string]any)) func(map[string]any) {
		return func(p map[string]any) { change(p["session"].(map[string]any)) }
	}
	b64 := base64.StdEncoding.EncodeToString
	tests := map[string]Options{
		"feature without key": {Spoil: func(p map[string]any) { delete(p, "session") }},
		"key without feature": {Spoil: func(p map[string]any) { p["features"] = []string{"single-connection"} }},
		"no known AEAD":       {Session: &SessionOptions{AEADs: []string{"rot13"}}},
		"nine AEADs":          {Session: &SessionOptions{AEADs: slices.Repeat([]string{session.AES256GCM}, 9)}},
		"key of 31 bytes":     {Spoil: offer(func(s map[string]any) { s["key"] = b64(make([]byte, 31)) })},
		"key of 33 bytes":     {Spoil: offer(func(s map[string]any) { s["key"] = b64(make([]byte, 33)) })},
		"low-order key":       {Spoil: offer(func(s map[string]any) { s["key"] = b64(make([]byte, 32)) })},
		"key in other base64": {Spoil: offer(func(s map[string]any) { s["key"] = s["key"].(string) + "\n" })},
		"short KEM key":       {Spoil: offer(func(s map[string]any) { s["kem"] = b64(make([]byte, 1183)) })},
		"empty KEM key":       {Spoil: offer(func(s map[string]any) { s["kem"] = "" })},
		"KEM key of ones":     {Spoil: offer(func(s map[string]any) { s["kem"] = b64(slices.Repeat([]byte{255}, 1184)) })},
		"own identity":        {Identity: own},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			s := listen(t, Options{Identity: own, Session: &SessionOptions{}})
			if o.Identity == nil {
				o.Identity = identity(t, "a")
			}
			if o.Session == nil {
				o.Session = &SessionOptions{}
			}
			_, err := Dial(ctx, "ws://"+s.Addr()+"/ws", o)
			var refused *RefusedError
			if !errors.As(err, &refused) || refused.Reason != "invalid handshake" {
				t.Errorf("initiator got %v", err)
			}
			if err := s.Refused(ctx); !errors.Is(err, ErrSession) {
				t.Errorf("responder reports %v", err)
			}
		})
	}
}

func TestInitiatorRefusesAnswers(t *testing.T) {
	keys := session.NewKeyPair()
	answer := func(key string, value any) func(map[string]any) {
		return func(p map[string]any) { p["session"].(map[string]any)[key] = value }
	}
	b64 := base64.StdEncoding.EncodeToString
	tests := map[string]struct {
		initiator SessionOptions
		spoil     func(map[string]any)
	}{
		"AEAD not offered":    {SessionOptions{AEADs: []string{session.AES256GCM}}, answer("aead", session.ChaCha20Poly1305)},
		"unknown AEAD":        {SessionOptions{}, answer("aead", "rot13")},
		"KEM not asked for":   {SessionOptions{}, answer("kem", b64(make([]byte, 1088)))},
		"short KEM":           {SessionOptions{KEM: true}, answer("kem", b64(make([]byte, 1087)))},
		"own ephemeral key":   {SessionOptions{Ephemeral: &keys}, answer("key", b64(keys.Public))},
		"low-order key":       {SessionOptions{}, answer("key", b64(make([]byte, 32)))},
		"feature without key": {SessionOptions{}, func(p map[string]any) { delete(p, "session") }},
		"key without feature": {SessionOptions{}, func(p map[string]any) { delete(p, "features") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := listen(t, Options{Identity: identity(t, "b"), Session: &SessionOptions{}, Spoil: tt.spoil})
			_, err := Dial(testContext(t), "ws://"+s.Addr()+"/ws", Options{Identity: identity(t, "a"), Session: &tt.initiator})
			if !errors.Is(err, ErrSession) {
				t.Errorf("initiator got %v", err)
			}
		})
	}
}

func TestChangedRecordsEndTheSession(t *testing.T) {
	message := func(c *Conn) []byte {
		encoded, err := c.Encode(Envelope{ID: "id", Type: "chat", TS: Stamp(time.Now()), Payload: []byte("1")})
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	for name, send := range map[string]func(c *Conn) error{
		"text message": func(c *Conn) error { return c.SendMessage(websocket.TextMessage, c.SealRecord(1, message(c))) },
		"SMSG container": func(c *Conn) error {
			frame, err := Seal(`{"id":"x"}`, c.Password())
			return errors.Join(err, c.SendRaw(frame))
		},
		"unknown type":      func(c *Conn) error { return c.SendRecord(3, message(c)) },
		"dropped record":    func(c *Conn) error { c.SealRecord(1, message(c)); return c.SendRecord(1, message(c)) },
		"length past end":   func(c *Conn) error { return c.SendRecord(1, append(message(c), 9, 1)) },
		"length of 6 bytes": func(c *Conn) error { return c.SendRecord(1, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 1, 0}) },
		"length padded":     func(c *Conn) error { return c.SendRecord(1, append([]byte{0x81, 0}, '{')) },
		"replayed record": func(c *Conn) error {
			record := c.SealRecord(1, message(c))
			return errors.Join(c.SendRaw(record), c.SendRaw(record))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := sessions(t, SessionOptions{}, SessionOptions{})
			if err := send(a); err != nil {
				t.Fatal(err)
			}
			<-a.Done()
			<-b.Done()
			var closed *websocket.CloseError
			if !errors.As(a.Err(), &closed) || closed.Code != websocket.CloseProtocolError {
				t.Errorf("closed with %v, want 1002", a.Err())
			}
		})
	}
}

func TestFirstRecordMustBePing(t *testing.T) {
	ctx := testContext(t)
	s := listen(t, Options{Identity: identity(t, "b"), Session: &SessionOptions{}})
	manual := Options{Identity: identity(t, "a"), Session: &SessionOptions{Manual: true}}
	c, err := Dial(ctx, "ws://"+s.Addr()+"/ws", manual)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Send("chat", "", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Refused(ctx); !errors.Is(err, ErrFirstRecord) {
		t.Errorf("responder reports %v, want ErrFirstRecord", err)
	}
}
