package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
)

func fakeEvent(name, peer, kind string) feed.Event {
	return feed.Event{Name: name, Peer: peer, Type: kind, Line: func(text bool) []byte {
		return fmt.Appendf(nil, "%s %s %t", name, kind, text)
	}}
}

func newFakeFeed() *feed.Feed {
	return feed.New(func(count int) feed.Event { return fakeEvent(feed.Lost, "", fmt.Sprint(count)) }, func(int) {})
}

// await blocks until a stream is open.
func await(f *feed.Feed) {
	for !f.Open() {
		runtime.Gosched()
	}
}

func TestEventsPassTheSelectedLines(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	client := serve(t, t.TempDir(), node)
	go func() {
		await(node.feed)
		for _, e := range []feed.Event{
			fakeEvent("message", bobID, "chat"), fakeEvent("message", aliceID, "news"),
			fakeEvent("peer_up", bobID, ""), fakeEvent("message", bobID, "news"),
		} {
			node.feed.Publish(e)
		}
		node.feed.Close(fakeEvent("stopped", "", ""))
	}()
	var got []string
	q := EventsRequest{Events: []string{"message", "dropped"}, Types: []string{"news", "x"}, Peer: "bob", Text: true}
	err := client.Events(t.Context(), q, func(name string, line []byte) bool {
		got = append(got, name+": "+string(line))
		return true
	})
	const want = "message: message news true, stopped: stopped  true"
	if all := strings.Join(got, ", "); all != want || !errors.Is(err, ErrStreamEnded) {
		t.Errorf("%q, %v; want %q", all, err, want)
	}
}

func TestEventsEndWithTheCaller(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	client := serve(t, t.TempDir(), node)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			node.feed.Publish(fakeEvent("message", bobID, "chat"))
			runtime.Gosched()
		}
	}()
	err := client.Events(ctx, EventsRequest{}, func(string, []byte) bool { return false })
	if err != nil {
		t.Errorf("after one event: %v", err)
	}
	err = client.Events(ctx, EventsRequest{}, func(string, []byte) bool { cancel(); return true })
	if err == nil {
		t.Error("no error")
	}
	for node.feed.Open() { // until the node notices that both have left
		runtime.Gosched()
	}
}

func TestStreamRequestsAreChecked(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	client := serve(t, t.TempDir(), node)
	each := func(string, []byte) bool { return false }
	for _, c := range []struct {
		q    EventsRequest
		code Code
	}{
		{EventsRequest{Peer: "stranger"}, CodeUnknownPeer},
		{EventsRequest{Peer: "twin"}, CodeAmbiguous},
		{EventsRequest{Events: []string{"peer_left"}}, CodeUsage},
		{EventsRequest{Types: []string{"pong"}}, CodeUsage},
		{EventsRequest{Types: []string{""}}, CodeUsage},
	} {
		var failed *Error
		if err := client.Events(t.Context(), c.q, each); !errors.As(err, &failed) || failed.Code != c.code {
			t.Errorf("%+v: %v, want %s", c.q, err, c.code)
		}
	}
	if _, err := client.do(t.Context(), "GET", "events?since=1", nil, defaultTimeout); err == nil ||
		!strings.Contains(err.Error(), `unknown parameter "since"`) {
		t.Errorf("unknown parameter: %v", err)
	}
	stream, err := node.feed.Handle("job")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var failed *Error
	for kind, code := range map[string]Code{"job": CodeConflict, "ping": CodeUsage, "": CodeUsage} {
		err := client.Handle(t.Context(), HandleRequest{Type: kind}, func() {}, each)
		if !errors.As(err, &failed) || failed.Code != code {
			t.Errorf("handle %q: %v, want %s", kind, err, code)
		}
	}
}

// openRaw opens an event stream on a server with short timeouts, and returns its connection.
func openRaw(t *testing.T, node *fakeNode) (*Server, net.Conn) {
	t.Helper()
	dir := t.TempDir()
	server, err := Listen(dir, settings.NoGroup, NewHandler(node, 1<<20), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server.http.ReadTimeout, server.http.ReadHeaderTimeout = 500*time.Millisecond, 500*time.Millisecond
	server.Serve()
	conn := dialRaw(t, dir, "GET /v1/events HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
	await(node.feed)
	return server, conn
}

func dialRaw(t *testing.T, dir, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", SocketPath(dir))
	if err == nil {
		_, err = conn.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// A client that does not read holds up neither the node nor the end of the server.
func TestUnreadStreamHoldsUpNothing(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	server, _ := openRaw(t, node)
	big := feed.Event{Name: "message", Line: func(bool) []byte { return bytes.Repeat([]byte("x"), 1<<20) }}
	for range 100 {
		node.feed.Publish(big)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Close(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("the server ended with %v, %v", err, ctx.Err())
	}
}

// A stream lasts longer than the timeout of requests: another connection, which sends no complete request, has reached
// it.
func TestStreamOutlivesTheReadTimeout(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	server, conn := openRaw(t, node)
	slow := dialRaw(t, server.dir, "GET /v1/stat")
	_, _ = io.ReadAll(slow) // ends when the server closes the connection
	node.feed.Close(fakeEvent("stopped", "", ""))
	text, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(text), "event: stopped\n") {
		t.Errorf("%q, %v", text, err)
	}
	if err := server.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
