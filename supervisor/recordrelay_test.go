package supervisor

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/memnet"
)

// wsMessage is one WebSocket message.
type wsMessage struct {
	kind websocket.MessageType
	data []byte
}

// recordAttack changes the records of one direction from the attacked one on.
type recordAttack struct {
	name string
	// change returns the messages that replace a record; step is 0 for the attacked record, and past is its content.
	change func(step int, record, past []byte) []wsMessage
	// opens is the number of records that open, of those from the attacked one on.
	opens int
	// reflect sends the attacked record back to its sender, which must close.
	reflect bool
}

func binaries(records ...[]byte) (all []wsMessage) {
	for _, record := range records {
		all = append(all, wsMessage{websocket.MessageBinary, record})
	}
	return all
}

// once returns a change of the attacked record only.
func once(change func(record []byte) []wsMessage) func(int, []byte, []byte) []wsMessage {
	return func(step int, record, _ []byte) []wsMessage {
		if step > 0 {
			return binaries(record)
		}
		return change(record)
	}
}

// flipped returns a change of one bit, in the byte that at selects.
func flipped(at func(size int) int) func(int, []byte, []byte) []wsMessage {
	return once(func(r []byte) []wsMessage {
		r = bytes.Clone(r)
		r[at(len(r))] ^= 1
		return binaries(r)
	})
}

func recordAttacks() []recordAttack {
	return []recordAttack{
		{"replay", once(func(r []byte) []wsMessage { return binaries(r, r) }), 1, false},
		{"replay later", func(step int, r, past []byte) []wsMessage {
			if step == 1 {
				return binaries(r, past)
			}
			return binaries(r)
		}, 2, false},
		{"drop", once(func([]byte) []wsMessage { return nil }), 0, false},
		{"swap", func(step int, r, past []byte) []wsMessage {
			switch step {
			case 0:
				return nil
			case 1:
				return binaries(r, past)
			}
			return binaries(r)
		}, 0, false},
		{"flip the type", flipped(func(int) int { return 0 }), 0, false},
		{"flip the first byte", flipped(func(int) int { return 1 }), 0, false},
		{"flip the tag", flipped(func(size int) int { return size - 1 }), 0, false},
		{"truncate", once(func(r []byte) []wsMessage { return binaries(r[:len(r)-1]) }), 0, false},
		{"extend", once(func(r []byte) []wsMessage { return binaries(append(bytes.Clone(r), 0)) }), 0, false},
		{"as text", once(func(r []byte) []wsMessage { return []wsMessage{{websocket.MessageText, r}} }), 0, false},
		{"reflect", once(func(r []byte) []wsMessage { return binaries(r) }), 1, true},
	}
}

// recordRelay forwards one connection to a node and holds no key. It attacks one direction, from the first record on
// that begins matches.
type recordRelay struct {
	recordAttack
	t          *testing.T
	host       *memnet.Host
	to         string
	fromDialer bool // the attacked direction
	begins     func(record []byte) bool

	past []byte // the attacked record; of the goroutine that forwards the attacked direction
	step int

	mu     sync.Mutex
	armed  bool
	closes map[bool]websocket.StatusCode // by node, true: the dialler
}

// start listens at port 9091 until the end of the test.
func (r *recordRelay) start() {
	r.t.Helper()
	ln, err := r.host.Listen(9091)
	if err != nil {
		r.t.Fatal(err)
	}
	r.closes = make(map[bool]websocket.StatusCode)
	server := &http.Server{Handler: http.HandlerFunc(r.serve)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(ln) // until Close
	}()
	r.t.Cleanup(func() {
		server.Close()
		<-served
	})
}

func (r *recordRelay) serve(w http.ResponseWriter, req *http.Request) {
	in, err := websocket.Accept(w, req, nil)
	if err != nil {
		r.t.Error(err)
		return
	}
	transport := &http.Transport{DialContext: r.host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	out, _, err := websocket.Dial(context.Background(), "ws://"+r.to+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		r.t.Error(err)
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { r.forward(in, out, true) })
	ways.Go(func() { r.forward(out, in, false) })
	ways.Wait()
}

// forward copies one direction until the node at its start closes, and records the status of the close.
func (r *recordRelay) forward(from, to *websocket.Conn, fromDialer bool) {
	defer to.CloseNow()
	from.SetReadLimit(1 << 21)
	for {
		kind, data, err := from.Read(context.Background())
		if err != nil {
			r.mu.Lock()
			r.closes[fromDialer] = websocket.CloseStatus(err)
			r.mu.Unlock()
			return
		}
		for _, m := range r.replaced(from, wsMessage{kind, data}, fromDialer) {
			_ = to.Write(context.Background(), m.kind, m.data) // the node may have closed
		}
	}
}

// replaced returns the messages that the relay forwards instead of m.
func (r *recordRelay) replaced(sender *websocket.Conn, m wsMessage, fromDialer bool) []wsMessage {
	r.mu.Lock()
	armed := r.armed
	r.mu.Unlock()
	if !armed || fromDialer != r.fromDialer || m.kind != websocket.MessageBinary {
		return []wsMessage{m}
	}
	if r.past == nil {
		if !r.begins(m.data) {
			return []wsMessage{m}
		}
		r.past = bytes.Clone(m.data)
		if r.reflect {
			_ = sender.Write(context.Background(), m.kind, m.data)
		}
	}
	out := r.change(r.step, m.data, r.past)
	r.step++
	return out
}

func (r *recordRelay) arm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = true
}

// status returns the status with which a node has closed, -1 if it has sent no close frame.
func (r *recordRelay) status(dialler bool) websocket.StatusCode {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	status, closed := r.closes[dialler]
	if !closed {
		r.t.Error("a node has not closed its connection to the relay")
	}
	return status
}
