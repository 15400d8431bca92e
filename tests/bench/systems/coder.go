package systems

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

// The first byte of a payload of the bare systems, which have no envelope.
const (
	bareCounted = 'x'
	bareAsk     = '?'
	bareAnswer  = '!'
)

// coder is the plain WebSocket library that our node uses, without encryption, envelope and limits.
type coder struct {
	corked bool
	tally  *Tally
	server *http.Server

	mu    sync.Mutex
	conns map[*websocket.Conn]struct{}
}

func newCoder(corked bool) *coder {
	return &coder{corked: corked, tally: NewTally(), conns: make(map[*websocket.Conn]struct{})}
}

func (n *coder) Listen() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	n.server = &http.Server{Handler: http.HandlerFunc(n.accept)}
	go func() { _ = n.server.Serve(ln) }()
	return ln.Addr().String(), nil
}

func (n *coder) accept(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	n.mu.Lock()
	n.conns[ws] = struct{}{}
	n.mu.Unlock()
	n.read(ws, nil)
}

// read counts messages, answers requests and passes answers to the asking goroutine.
func (n *coder) read(ws *websocket.Conn, answers chan<- int) {
	ws.SetReadLimit(1 << 20)
	var message bytes.Buffer
	for {
		_, r, err := ws.Reader(context.Background())
		if err != nil {
			return
		}
		message.Reset()
		if _, err := message.ReadFrom(r); err != nil {
			return
		}
		switch data := message.Bytes(); data[0] {
		case bareCounted:
			n.tally.Add()
		case bareAsk:
			data[0] = bareAnswer
			if ws.Write(context.Background(), websocket.MessageBinary, data) != nil {
				return
			}
		case bareAnswer:
			answers <- len(data)
		}
	}
}

func (n *coder) Dial(address string) (Link, error) {
	link := &coderLink{answers: make(chan int, 1)}
	options := &websocket.DialOptions{}
	if n.corked {
		options.HTTPClient = &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				link.cork = &cork{Conn: conn, buffer: bufio.NewWriterSize(conn, 64<<10)}
				return link.cork, err
			},
		}}
	}
	ws, _, err := websocket.Dial(context.Background(), "ws://"+address+"/ws", options)
	if err != nil {
		return nil, err
	}
	link.ws = ws
	go n.read(ws, link.answers)
	return link, nil
}

// Broadcast writes to all connections, one after the other.
func (n *coder) Broadcast(size int) error {
	data := bytes.Repeat([]byte{bareCounted}, size)
	n.mu.Lock()
	defer n.mu.Unlock()
	for ws := range n.conns {
		if err := ws.Write(context.Background(), websocket.MessageBinary, data); err != nil {
			return err
		}
	}
	return nil
}

func (n *coder) Peers() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

func (n *coder) Tally() *Tally { return n.tally }

func (n *coder) Close() {
	if n.server != nil {
		_ = n.server.Close()
	}
}

// cork buffers writes while it is on. Only the streaming goroutine turns it on and off, and no other goroutine
// writes meanwhile.
type cork struct {
	net.Conn
	on     atomic.Bool
	buffer *bufio.Writer
}

func (c *cork) Write(p []byte) (int, error) {
	if c.on.Load() {
		return c.buffer.Write(p)
	}
	return c.Conn.Write(p)
}

type coderLink struct {
	ws      *websocket.Conn
	cork    *cork // nil: one write per message
	answers chan int
}

func (l *coderLink) Stream(n, size int) error {
	data := bytes.Repeat([]byte{bareCounted}, size)
	if l.cork != nil {
		l.cork.on.Store(true)
		defer l.cork.on.Store(false)
	}
	for range n {
		if err := l.ws.Write(context.Background(), websocket.MessageBinary, data); err != nil {
			return err
		}
	}
	if l.cork != nil {
		return l.cork.buffer.Flush()
	}
	return nil
}

func (l *coderLink) Ask(size int) error {
	data := bytes.Repeat([]byte{bareAnswer}, size)
	data[0] = bareAsk
	if err := l.ws.Write(context.Background(), websocket.MessageBinary, data); err != nil {
		return err
	}
	<-l.answers
	return nil
}
