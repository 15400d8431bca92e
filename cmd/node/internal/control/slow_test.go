package control

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneListener accepts one connection.
type oneListener struct{ conns chan net.Conn }

func (l oneListener) Accept() (net.Conn, error) {
	if conn, open := <-l.conns; open {
		return conn, nil
	}
	return nil, http.ErrServerClosed
}

func (oneListener) Close() error   { return nil }
func (oneListener) Addr() net.Addr { return &net.UnixAddr{} }

// A client that does not read its answer loses the connection after replyTimeout.
func TestUnreadAnswerEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		listener := oneListener{make(chan net.Conn, 1)}
		listener.conns <- server
		go func() { _ = http.Serve(listener, NewHandler(&fakeNode{}, 1<<10)) }()
		if _, err := io.WriteString(client, "GET /v1/status HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(replyTimeout + time.Millisecond)
		synctest.Wait()
		_ = client.SetReadDeadline(time.Now().Add(time.Hour))
		if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v; want the end", n, err)
		}
		close(listener.conns)
	})
}

// An idle stream has a comment every heartbeat, and an event restarts the time.
func TestIdleStreamHasHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{feed: newFakeFeed()}
		recorder := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			NewHandler(node, 1<<10).ServeHTTP(recorder, httptest.NewRequest("GET", "/v1/events", nil))
		}()
		time.Sleep(2*heartbeat + time.Second) // two heartbeats
		node.feed.Publish(fakeEvent("message", bobID, "chat"))
		time.Sleep(heartbeat - time.Millisecond) // none
		node.feed.Publish(fakeEvent("message", bobID, "chat"))
		time.Sleep(heartbeat + time.Second) // one
		node.feed.Close(fakeEvent("stopped", "", ""))
		<-done
		const message = "event: message\ndata: message chat false\n\n"
		want := ": open\n\n" + strings.Repeat(": heartbeat\n\n", 2) + message + message + ": heartbeat\n\n" +
			"event: stopped\ndata: stopped  false\n\n"
		if got := recorder.Body.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
