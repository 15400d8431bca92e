package blackbox

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// wireEnd is one WebSocket of a stranger that holds no key. It records the frames of the node.
type wireEnd struct {
	ws      *websocket.Conn
	writing sync.Mutex
	ended   chan struct{} // closed when reading has ended

	mu     sync.Mutex
	frames [][]byte // binary, as they came
	err    error    // why reading ended
}

func newWireEnd(t *testing.T, ws *websocket.Conn) *wireEnd {
	e := &wireEnd{ws: ws, ended: make(chan struct{})}
	t.Cleanup(func() { ws.Close() })
	return e
}

// read hands on every message of the node until the connection ends.
func (e *wireEnd) read(on func(kind int, data []byte)) {
	defer close(e.ended)
	for {
		kind, data, err := e.ws.ReadMessage()
		e.mu.Lock()
		if err != nil {
			e.err = err
			e.mu.Unlock()
			return
		}
		if kind == websocket.BinaryMessage {
			e.frames = append(e.frames, slices.Clone(data))
		}
		e.mu.Unlock()
		on(kind, data)
	}
}

// write sends one message to the node. It reports no error.
func (e *wireEnd) write(kind int, data []byte) {
	e.writing.Lock()
	defer e.writing.Unlock()
	_ = e.ws.WriteMessage(kind, data)
}

func (e *wireEnd) recorded() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.frames)
}

// status waits until the node has closed the connection and returns its WebSocket status, 0 without a close frame.
func (e *wireEnd) status(t *testing.T) int {
	t.Helper()
	select {
	case <-e.ended:
	case <-time.After(patience):
		t.Fatal("the node does not close the connection of a stranger")
	}
	if closed, ok := e.err.(*websocket.CloseError); ok {
		return closed.Code
	}
	return 0
}

// public returns the identity of a node as its handshakes show it.
func (n *node) public() refpeer.Public {
	return refpeer.Public{
		ID: n.ID(), Name: n.Name(), PublicKey: n.Hello.Str("publicKey"), CreatedAt: time.Now().UTC(), Role: "dual",
	}
}

// announce is a handshake payload with these features only.
func announce(features []string) map[string]any { return map[string]any{"features": features} }

// claim connects to a node with the public identity of another one and further keys in the payload, and returns after
// the ack.
func claim(t *testing.T, at, as *node, further map[string]any) *wireEnd {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(withTimeout(t), at.URL(), nil)
	if err != nil {
		at.Fatalf("a stranger cannot connect: %v", err)
	}
	e := newWireEnd(t, ws)
	payload := map[string]any{
		"identity": as.public(), "challenge": base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 32))),
		"version": "1.0",
	}
	maps.Copy(payload, further)
	hello, err := refpeer.NewEnvelope(refpeer.TypeHandshake, as.ID(), "", payload)
	if err != nil {
		t.Fatal(err)
	}
	e.write(websocket.TextMessage, []byte(mustJSON(t, hello)))
	if _, ack, err := ws.ReadMessage(); err != nil || !strings.Contains(string(ack), `"accepted":true`) {
		at.Fatalf("the claim is not accepted: %s, %v", ack, err)
	}
	return e
}

// relay passes the dials of one node on to another and holds no key.
type relay struct {
	t      *testing.T
	to     string                                          // URL
	change func(fromDialer bool, handshake map[string]any) // changes a handshake message; nil: none
	also   func(l *relayLink, fromDialer bool, frame []byte)
	// frames returns the WebSocket messages that replace the nth binary message of a direction, from 0; nil: itself.
	frames func(l *relayLink, fromDialer bool, n int, frame []byte) []wireMessage
	server *http.Server
	addr   string
	links  chan *relayLink
	most   int // connections are passed on; further ones are refused

	mu    sync.Mutex
	count int
}

// wireMessage is one WebSocket message.
type wireMessage struct {
	kind int
	data []byte
}

// relayLink is one connection through the relay: dialer is the end at the node that dialled.
type relayLink struct{ dialer, target *wireEnd }

// startRelay listens for a node that dials.
func startRelay(t *testing.T, to string, most int, adjust func(*relay)) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, to: to, addr: ln.Addr().String(), links: make(chan *relayLink, most), most: most}
	if adjust != nil {
		adjust(r)
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: patience}
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.server.Serve(ln) })
	t.Cleanup(func() {
		r.server.Close()
		wg.Wait()
	})
	return r
}

func (r *relay) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.count++
	full := r.count > r.most
	r.mu.Unlock()
	if full {
		http.Error(w, "full", http.StatusServiceUnavailable)
		return
	}
	there, _, err := websocket.DefaultDialer.Dial(r.to, nil)
	if err != nil {
		r.t.Errorf("the relay cannot dial: %v", err)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	here, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		there.Close()
		return
	}
	l := &relayLink{dialer: newWireEnd(r.t, here), target: newWireEnd(r.t, there)}
	r.links <- l
	var wg sync.WaitGroup
	wg.Go(func() { r.pass(l, l.dialer, l.target, true) })
	wg.Go(func() { r.pass(l, l.target, l.dialer, false) })
	wg.Wait()
}

// pass copies one direction; the end of one side ends the other.
func (r *relay) pass(l *relayLink, from, to *wireEnd, fromDialer bool) {
	binary := 0
	from.read(func(kind int, data []byte) {
		if kind == websocket.TextMessage && r.change != nil {
			data = r.changed(fromDialer, data)
		}
		out := []wireMessage{{kind, data}}
		if kind == websocket.BinaryMessage {
			if r.frames != nil {
				out = r.frames(l, fromDialer, binary, data)
			}
			binary++
		}
		for _, m := range out {
			to.write(m.kind, m.data)
		}
		if kind == websocket.BinaryMessage && r.also != nil {
			r.also(l, fromDialer, data)
		}
	})
	time.AfterFunc(time.Second, func() { to.ws.Close() }) // later than the other side's own close frame
}

// changed returns a handshake message after r.change: the same bytes if that changed nothing.
func (r *relay) changed(fromDialer bool, data []byte) []byte {
	var before, after map[string]any
	for _, m := range []*map[string]any{&before, &after} {
		if err := json.Unmarshal(data, m); err != nil {
			r.t.Error(err)
			return data
		}
	}
	r.change(fromDialer, after)
	if reflect.DeepEqual(before, after) {
		return data
	}
	out, err := json.Marshal(after)
	if err != nil {
		r.t.Error(err)
	}
	return out
}

// link returns the next connection through the relay.
func (r *relay) link() *relayLink {
	r.t.Helper()
	select {
	case l := <-r.links:
		return l
	case <-time.After(patience):
		r.t.Fatal("no connection through the relay")
		return nil
	}
}
