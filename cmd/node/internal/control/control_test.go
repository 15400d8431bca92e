package control

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/supervisor"
)

func TestClientCallsReachTheNode(t *testing.T) {
	node := &fakeNode{}
	client := serve(t, t.TempDir(), node)
	ctx := t.Context()

	status, err := client.Get(ctx, "status")
	if err != nil || !strings.Contains(string(status), aliceID) {
		t.Errorf("status: %s, %v", status, err)
	}
	peers, err := client.Get(ctx, "peers")
	if err != nil || !strings.HasPrefix(string(peers), `{"peers":[{"id":"`+bobID) {
		t.Errorf("peers: %s, %v", peers, err)
	}
	connected, err := client.Connect(ctx, ConnectRequest{Address: "host:1", TimeoutMs: 1000})
	if want := (Connected{bobID, "bob", "host:1"}); err != nil || connected != want {
		t.Errorf("connect: %+v, %v", connected, err)
	}
	gone, err := client.Disconnect(ctx, DisconnectRequest{Peer: "bob", Forget: true})
	want := Disconnected{Peer: bobID, Forgotten: true, Verified: true, PublicKey: bobKey}
	if err != nil || gone != want || !node.forgot {
		t.Errorf("disconnect: %+v, %v", gone, err)
	}
	gone, err = client.Disconnect(ctx, DisconnectRequest{Connection: 7})
	if want := (Disconnected{Peer: bobID, Connection: 7, Inbound: true, PublicKey: bobKey}); err != nil || gone != want {
		t.Errorf("disconnect by number: %+v, %v", gone, err)
	}
	trip, err := client.Ping(ctx, PingRequest{Peer: "bob"})
	if err != nil || trip.Peer != bobID || trip.Ms < 0 {
		t.Errorf("ping: %+v, %v", trip, err)
	}
	if m := node.sent[0]; m.Type != "ping" || m.To != bobID || !strings.HasPrefix(string(m.Payload), `{"sentAt":1`) {
		t.Errorf("ping sent %+v", m)
	}
	if _, err = client.Allow(ctx, KeysRequest{Keys: []string{bobKey}}); err != nil || node.allowed[0].String() != bobKey {
		t.Errorf("allow: %v, %v", node.allowed, err)
	}
	if _, err = client.Revoke(ctx, KeysRequest{Keys: []string{bobKey}}); err != nil || node.revoked[0].String() != bobKey {
		t.Errorf("revoke: %v, %v", node.revoked, err)
	}
	mode, err := client.SetAuth(ctx, AuthRequest{Auth: "allowlist"})
	if err != nil || mode.Auth != "allowlist" || !mode.Stored || *mode.Disconnected != 2 || mode.Warning != "" ||
		node.mode != supervisor.PeerAuthAllowlist {
		t.Errorf("auth: %+v, %v", mode, err)
	}
	raw, err := client.Get(ctx, "auth")
	if err != nil || string(raw) != `{"auth":"allowlist","stored":true}` {
		t.Errorf("auth: %s, %v", raw, err)
	}
}

func TestMessagesReachTheNode(t *testing.T) {
	node := &fakeNode{failed: []supervisor.SendFailure{{Peer: bobID, Err: supervisor.ErrQueueFull}}}
	client := serve(t, t.TempDir(), node)
	q := MessageRequest{Peer: "bob", Type: "chat", Payload: []byte(`"<hi>"`), ReplyTo: "x"}
	sent, err := client.Send(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	m := node.sent[0]
	if m.ID != sent.ID || m.Type != "chat" || m.From != aliceID || m.To != bobID ||
		string(m.Payload) != `"<hi>"` || m.ReplyTo != "x" {
		t.Errorf("sent %+v", m)
	}
	all, err := client.Broadcast(t.Context(), BroadcastRequest{Type: q.Type, Payload: q.Payload})
	if err != nil || all.Sent != 2 || len(all.Failed) != 1 || all.Failed[0].Peer != bobID ||
		all.Failed[0].Error != supervisor.ErrQueueFull.Error() {
		t.Errorf("broadcast: %+v, %v", all, err)
	}
	if m := node.sent[1]; m.To != "" || m.ID != all.ID {
		t.Errorf("broadcast %+v", m)
	}
	answer, err := client.Request(t.Context(), q)
	if err != nil || !strings.Contains(string(answer), `"payload":{"a":"<b>"},"replyTo":"`+node.sent[2].ID+`"`) {
		t.Errorf("request: %s, %v", answer, err)
	}
}

func TestClientReceivesErrorCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{supervisor.ErrNotConnected, CodeNotConnected},
		{supervisor.ErrClosed, CodeNotConnected},
		{supervisor.ErrUnknownPeer, CodeUnknownPeer},
		{supervisor.ErrRefused, CodeRefused},
		{supervisor.ErrRevoked, CodeRefused},
		{supervisor.ErrTooLarge, CodeTooLarge},
		{supervisor.ErrInvalidMessage, CodeUsage},
		{supervisor.ErrQueueFull, CodeQueueFull},
		{supervisor.ErrWriteTimeout, CodeTimeout},
		{context.DeadlineExceeded, CodeTimeout},
		{errors.New("the disk is full"), CodeFailed},
	} {
		client := serve(t, t.TempDir(), &fakeNode{err: fmt.Errorf("peer x: %w", c.err)})
		_, err := client.Send(t.Context(), MessageRequest{Peer: "bob", Type: "chat"})
		var reported *Error
		if !errors.As(err, &reported) || reported.Code != c.code {
			t.Errorf("%v: %v, want code %s", c.err, err, c.code)
		}
	}
}

// A failed dial is CodeRefused or CodeTimeout; a failure of the own node is CodeFailed.
func TestConnectMapsDialErrorsToCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{errors.New("connection refused"), CodeRefused},
		{&net.DNSError{IsTimeout: true}, CodeTimeout},
		{context.DeadlineExceeded, CodeTimeout},
		{supervisor.ErrHandshakeTimeout, CodeTimeout},
		{supervisor.ErrNoRoom, CodeFailed},
		{fmt.Errorf("%w: %w", supervisor.ErrBookWrite, syscall.ENOSPC), CodeFailed},
	} {
		client := serve(t, t.TempDir(), &fakeNode{err: c.err})
		_, err := client.Connect(t.Context(), ConnectRequest{Address: "host:1"})
		var reported *Error
		if !errors.As(err, &reported) || reported.Code != c.code {
			t.Errorf("%v: %v, want code %s", c.err, err, c.code)
		}
	}
}

func TestTooLargeStatesTheLimit(t *testing.T) {
	const want = "the message is too large: sealed, it has more than 1MiB"
	client := serve(t, t.TempDir(), &fakeNode{err: fmt.Errorf("peer x: %w", supervisor.ErrTooLarge)})
	_, err := client.Send(t.Context(), MessageRequest{Peer: "bob", Type: "chat"})
	var reported *Error
	if !errors.As(err, &reported) || reported.Message != want || reported.Advice != sizeAdvice {
		t.Errorf("send: %+v", reported)
	}
	client = serve(t, t.TempDir(), &fakeNode{failed: []supervisor.SendFailure{{Peer: bobID, Err: supervisor.ErrTooLarge}}})
	all, err := client.Broadcast(t.Context(), BroadcastRequest{Type: "chat"})
	if err != nil || len(all.Failed) != 1 || all.Failed[0].Error != want+": "+sizeAdvice {
		t.Errorf("broadcast: %+v, %v", all, err)
	}
}

func TestDialAdviceDependsOnTheError(t *testing.T) {
	for _, c := range []struct {
		address string
		err     error
		want    string
	}{
		{"host:1", &socket.RefusedError{Status: 400}, "try wss://"},
		{"ws://host:1", &socket.RefusedError{Status: 400}, "try wss://"},
		{"wss://host:1", &socket.RefusedError{Status: 400}, "whether it is a node"},
		{"host:1", &socket.RefusedError{Status: 503}, "try again later"},
		{"host:1", &socket.RefusedError{Status: 404}, "--ws-path"},
		{"wss://host:1", http.ErrSchemeMismatch, "the peer speaks no TLS"},
		{"wss://host:1", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "--tls-ca"},
		{"host:1", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "whether the peer runs"},
		{"host:1", &net.DNSError{}, "check the name"},
		{"host:1", supervisor.ErrHandshakeTimeout, "try again later"},
		{"host:1", context.DeadlineExceeded, "try again later"},
		{"host:1", supervisor.ErrNoRoom, "raise it"},
		{"host:1", &supervisor.OtherMemberError{Member: "m1"}, "over that connection"},
		{"host:1", errors.New("something else"), "allows this node's key"},
	} {
		client := serve(t, t.TempDir(), &fakeNode{err: &supervisor.PeerError{Peer: c.address, Err: c.err}})
		_, err := client.Connect(t.Context(), ConnectRequest{Address: c.address})
		var reported *Error
		if !errors.As(err, &reported) || !strings.Contains(reported.Advice, c.want) {
			t.Errorf("%s, %v: %+v, want %s", c.address, c.err, reported, c.want)
		}
	}
}

func TestInvalidRequestsAreUsageErrors(t *testing.T) {
	client := serve(t, t.TempDir(), &fakeNode{})
	chat := func(change func(*MessageRequest)) func() error {
		q := MessageRequest{Peer: "bob", Type: "chat"}
		change(&q)
		return func() error {
			_, err := client.Send(t.Context(), q)
			return err
		}
	}
	for name, try := range map[string]func() error{
		"no peer":      chat(func(q *MessageRequest) { q.Peer = "" }),
		"ambiguous":    chat(func(q *MessageRequest) { q.Peer = "twin" }),
		"no type":      chat(func(q *MessageRequest) { q.Type = "" }),
		"handshake":    chat(func(q *MessageRequest) { q.Type = "handshake" }),
		"disconnect":   chat(func(q *MessageRequest) { q.Type = "disconnect" }),
		"ping":         chat(func(q *MessageRequest) { q.Type = "ping" }),
		"pong":         chat(func(q *MessageRequest) { q.Type = "pong" }),
		"two words":    chat(func(q *MessageRequest) { q.Type = "two words" }),
		"space around": chat(func(q *MessageRequest) { q.Type = " chat" }),
		"line break":   chat(func(q *MessageRequest) { q.Type = "chat\n" }),
		"escape":       chat(func(q *MessageRequest) { q.Type = "\x1b[2J" }),
		"long replyTo": chat(func(q *MessageRequest) { q.ReplyTo = strings.Repeat("x", 65) }),
		"bad timeout":  chat(func(q *MessageRequest) { q.TimeoutMs = -1 }),
		"bad address":  func() error { _, err := client.Connect(t.Context(), ConnectRequest{Address: "x"}); return err },
		"bad key":      func() error { _, err := client.Allow(t.Context(), KeysRequest{Keys: []string{"x"}}); return err },
		"no key":       func() error { _, err := client.Revoke(t.Context(), KeysRequest{}); return err },
		"bad mode":     func() error { _, err := client.SetAuth(t.Context(), AuthRequest{Auth: "x"}); return err },
	} {
		var reported *Error
		if err := try(); !errors.As(err, &reported) || reported.Code.Status() != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := chat(func(q *MessageRequest) { q.Payload = []byte(`"` + strings.Repeat("x", 2<<20) + `"`) })()
	var reported *Error
	if !errors.As(err, &reported) || reported.Code != CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
}

func TestRequestTimesOut(t *testing.T) {
	client := serve(t, t.TempDir(), &fakeNode{block: true})
	_, err := client.Request(t.Context(), MessageRequest{Peer: "bob", Type: "chat", TimeoutMs: 1})
	var reported *Error
	if !errors.As(err, &reported) || reported.Code != CodeTimeout {
		t.Errorf("got %v", err)
	}
}
