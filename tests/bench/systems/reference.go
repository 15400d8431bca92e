package systems

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// The settings of the reference path are those of deployed nodes (protocol section 6), except for the limiter, which
// admits all messages.
const (
	refMaxMessage   = 1 << 20
	refPingInterval = 30 * time.Second
	refPongTimeout  = 10 * time.Second
	refTimeout      = 10 * time.Second
	refUnlimited    = 1 << 40
)

// reference is a node like the deployed ones, built from public libraries: Borg's codec for each message,
// gorilla/websocket, one write per message under the connection's lock, two goroutines per connection, maps behind
// locks.
type reference struct {
	identity *refpeer.Identity
	book     *refBook
	dedup    *MutexDedup
	tally    *Tally
	server   *http.Server
	upgrader websocket.Upgrader

	mu      sync.RWMutex
	conns   map[string]*refConn
	pending int

	asking  sync.Mutex
	waiting map[string]chan *envelope
}

func newReference(o Options) (Node, error) {
	identity, err := refpeer.New("reference")
	if err != nil {
		return nil, err
	}
	return &reference{
		identity: identity, book: newRefBook(o.Dir, o.Known), dedup: NewMutexDedup(), tally: NewTally(),
		upgrader: websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, CheckOrigin: localOrigin},
		conns:    make(map[string]*refConn), waiting: make(map[string]chan *envelope),
	}, nil
}

func localOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

func (n *reference) Listen() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", n.accept)
	n.server = &http.Server{
		Handler: mux, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, ReadHeaderTimeout: refTimeout, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	go func() { _ = n.server.Serve(ln) }()
	return strings.Join([]string{ln.Addr().String(), n.identity.PublicKey, n.identity.ID}, " "), nil
}

// refHello and refAck are the payloads of the handshake (protocol section 3).
type refHello struct {
	Identity  refpeer.Public `json:"identity"`
	Challenge []byte         `json:"challenge"`
	Version   string         `json:"version"`
}

type refAck struct {
	Identity          refpeer.Public `json:"identity"`
	ChallengeResponse []byte         `json:"challengeResponse,omitempty"`
	Accepted          bool           `json:"accepted"`
	Reason            string         `json:"reason,omitempty"`
}

func (n *reference) accept(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	full := len(n.conns)+n.pending >= maxConns
	n.pending++
	n.mu.Unlock()
	defer func() { n.mu.Lock(); n.pending--; n.mu.Unlock() }()
	if full {
		http.Error(w, "Too many connections", http.StatusServiceUnavailable)
		return
	}
	ws, err := n.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	if err := n.respond(ws); err != nil {
		ws.Close()
	}
}

func (n *reference) respond(ws *websocket.Conn) error {
	ws.SetReadLimit(refMaxMessage)
	if err := ws.SetReadDeadline(time.Now().Add(refTimeout)); err != nil {
		return err
	}
	var hello refHello
	if err := receivePlain(ws, "handshake", &hello); err != nil {
		return err
	}
	if hello.Version != "1.0" {
		return errors.New("incompatible protocol version")
	}
	secret, err := n.identity.SharedSecret(hello.Identity.PublicKey)
	if err != nil {
		return err
	}
	n.book.meet(&refPeer{
		ID: hello.Identity.ID, Name: hello.Identity.Name, PublicKey: hello.Identity.PublicKey, AddedAt: time.Now(), Score: 50,
	})
	response := refpeer.ChallengeResponse(secret, hello.Challenge)
	ack := refAck{Identity: n.identity.Public, ChallengeResponse: response, Accepted: true}
	if err := n.sendPlain(ws, "handshake_ack", hello.Identity.ID, ack); err != nil {
		return err
	}
	n.open(ws, hello.Identity.ID, secret)
	return nil
}

func (n *reference) Dial(address string) (Link, error) {
	host, _, _ := strings.Cut(address, " ")
	dialer := websocket.Dialer{HandshakeTimeout: refTimeout}
	ws, _, err := dialer.Dial("ws://"+host+"/ws", nil)
	if err != nil {
		return nil, err
	}
	challenge := []byte("32 bytes that need not be random")
	hello := refHello{Identity: n.identity.Public, Challenge: challenge, Version: "1.0"}
	if err := n.sendPlain(ws, "handshake", "", hello); err != nil {
		return nil, err
	}
	var ack refAck
	if err := receivePlain(ws, "handshake_ack", &ack); err != nil {
		return nil, err
	}
	secret, err := n.identity.SharedSecret(ack.Identity.PublicKey)
	if err != nil {
		return nil, err
	}
	if string(ack.ChallengeResponse) != string(refpeer.ChallengeResponse(secret, challenge)) {
		return nil, refpeer.ErrBadResponse
	}
	return &refLink{node: n, conn: n.open(ws, ack.Identity.ID, secret)}, nil
}

func (n *reference) sendPlain(ws *websocket.Conn, kind, to string, payload any) error {
	e, err := newEnvelope(kind, n.identity.ID, to, payload)
	if err != nil {
		return err
	}
	text, err := marshal(e)
	if err != nil {
		return err
	}
	return ws.WriteMessage(websocket.TextMessage, text)
}

func receivePlain(ws *websocket.Conn, kind string, payload any) error {
	_, text, err := ws.ReadMessage()
	if err != nil {
		return err
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if e.Type != kind {
		return errors.New("handshake: got a message of type " + e.Type + ", want " + kind)
	}
	return json.Unmarshal(e.Payload, payload)
}

// open registers a connection and starts its two goroutines, one that reads and one that pings.
func (n *reference) open(ws *websocket.Conn, peer string, secret []byte) *refConn {
	c := &refConn{node: n, ws: ws, peer: peer, secret: secret, limiter: newRefLimiter(refUnlimited, 50)}
	c.lastActivity.Store(time.Now().UnixNano())
	n.mu.Lock()
	n.conns[peer] = c
	n.mu.Unlock()
	go c.read()
	go c.keepalive()
	return c
}

// Broadcast sends to all connections, one after the other.
func (n *reference) Broadcast(size int) error {
	e, err := newEnvelope(typeCounted, n.identity.ID, "", strings.Repeat("x", size))
	if err != nil {
		return err
	}
	n.mu.RLock()
	conns := make([]*refConn, 0, len(n.conns))
	for _, c := range n.conns {
		conns = append(conns, c)
	}
	n.mu.RUnlock()
	for _, c := range conns {
		if err := c.send(e); err != nil {
			return err
		}
	}
	return nil
}

func (n *reference) Peers() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.conns)
}

func (n *reference) Known() int    { return n.book.len() }
func (n *reference) Tally() *Tally { return n.tally }

func (n *reference) Close() {
	if n.server != nil {
		_ = n.server.Close()
	}
}
