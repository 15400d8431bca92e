package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// passage is one connection through a relay. Index 0 is the side of the initiator, 1 that of the responder.
type passage struct {
	*mitm
	sides   [2]*node
	ws      [2]*websocket.Conn
	changed bool // a handshake message
	modern  bool // neither side is a deployed node, which cannot notice a relay
	session bool // both sides have agreed on a session, by the messages as they received them
	secret  crypto.SharedSecret
	victim  int // tampering: the side that receives the damage
	at      int // tampering: the number of the record

	mu    sync.Mutex
	watch *time.Timer // reports a passage that stands although a node must have noticed the relay
	began time.Time
}

// serve passes one connection on.
func (r *mitm) serve(rw http.ResponseWriter, req *http.Request, from, to *node) {
	p := &passage{mitm: r, sides: [2]*node{from, to}, began: time.Now(), victim: r.draw(2), at: r.draw(8)}
	defer p.end()
	var err error
	if p.ws[0], err = websocket.Accept(rw, req, &websocket.AcceptOptions{InsecureSkipVerify: true}); err != nil {
		return
	}
	transport := &http.Transport{DialContext: r.host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	if p.ws[1], _, err = websocket.Dial(r.ctx, "ws://"+to.address()+"/ws", options); err != nil {
		return
	}
	for _, ws := range p.ws {
		ws.SetReadLimit(4 << 20)
	}
	p.secret, err = identities()[from.index].SharedSecret(identities()[to.index].PublicKey())
	from.must(err)
	p.w.mu.Lock()
	p.modern = from.serving && to.serving
	p.w.mu.Unlock()
	if !p.handshake() {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	var ways sync.WaitGroup
	for to := range 2 {
		ways.Go(func() {
			defer cancel()
			p.pump(ctx, to)
		})
	}
	ways.Wait()
}

// end closes both sides.
func (p *passage) end() {
	for _, ws := range p.ws {
		if ws != nil {
			_ = ws.CloseNow()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watch != nil {
		p.watch.Stop()
	}
}

// handshake passes the two handshake messages on and changes them. It reports whether frames follow.
func (p *passage) handshake() bool {
	var agreed [2]bool
	for from := range 2 {
		kind, data, err := p.ws[from].Read(p.ctx)
		if err != nil {
			return false
		}
		next := data
		if p.kind.strips(from == 0) {
			next = p.strip(data)
		}
		p.changed = p.changed || !bytes.Equal(next, data)
		agreed[from] = bytes.Contains(next, []byte(`"session":`))
		if p.ws[1-from].Write(p.ctx, kind, next) != nil {
			return false
		}
	}
	p.session = agreed[0] && agreed[1]
	return true
}

// strip returns a changed handshake message, or the same one if there is nothing to change.
func (p *passage) strip(data []byte) []byte {
	var envelope, payload, identity map[string]json.RawMessage
	var features []string
	if json.Unmarshal(data, &envelope) != nil || json.Unmarshal(envelope["payload"], &payload) != nil {
		return data
	}
	_ = json.Unmarshal(payload["features"], &features)
	before := len(features) + len(payload)
	switch p.kind {
	case mitmRename:
		before = -1
		_ = json.Unmarshal(payload["identity"], &identity)
		identity["name"] = json.RawMessage(`"other"`)
		payload["identity"], _ = json.Marshal(identity)
	case mitmStripKey:
		delete(payload, "session")
	case mitmStripAll:
		features = nil
		delete(payload, "session")
		delete(payload, "features")
	default:
		features = slices.DeleteFunc(features, func(f string) bool { return f == wire.FeatureSession })
		delete(payload, "session")
		payload["features"], _ = json.Marshal(features)
	}
	if len(features)+len(payload) == before {
		return data
	}
	envelope["payload"], _ = json.Marshal(payload)
	next, _ := json.Marshal(envelope)
	return next
}

// pump passes the frames to one side on until a connection ends.
func (p *passage) pump(ctx context.Context, to int) {
	var held []byte
	damaged := false
	for n := 0; ; n++ {
		kind, data, err := p.ws[1-to].Read(ctx)
		if err != nil {
			return
		}
		p.inspect(1-to, data)
		out := [][]byte{data}
		if p.kind.tampers() && to == p.victim && n == p.at && (p.session || p.kind != mitmSwap) {
			out = p.damage(ctx, kind, data, &held)
			damaged = p.kind != mitmReflect
		} else if held != nil {
			out, held = append(out, held), nil
		}
		for _, frame := range out {
			if p.ws[to].Write(ctx, kind, frame) != nil {
				return
			}
			if p.changed || damaged && p.session {
				p.expectEnd(to)
			}
		}
	}
}

// damage returns the records that the relay passes on in place of one.
func (p *passage) damage(ctx context.Context, kind websocket.MessageType, data []byte, held *[]byte) [][]byte {
	switch p.kind {
	case mitmReplay:
		return [][]byte{data, data}
	case mitmSwap:
		*held = data
		return nil
	case mitmFlip:
		data = bytes.Clone(data)
		data[p.draw(len(data))] ^= 1 << p.draw(8)
		return [][]byte{data}
	case mitmCut:
		return [][]byte{data[:len(data)-1]}
	case mitmReflect:
		if p.ws[1-p.victim].Write(ctx, kind, data) == nil && p.session {
			p.expectEnd(1 - p.victim)
		}
		return [][]byte{data}
	default: // mitmDrop
		return nil
	}
}

// expectEnd reports a fault if the passage still stands after the time in which a node must have noticed the relay.
func (p *passage) expectEnd(to int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watch == nil && p.modern {
		p.watch = time.AfterFunc(noticed, func() {
			if p.ctx.Err() == nil && p.inService(p.sides[0]) && p.inService(p.sides[1]) {
				p.w.fault("a relay between nodes %d and %d that %s was not noticed by %d within %v, session %t",
					p.sides[0].index, p.sides[1].index, p.kind, p.sides[to].index, noticed, p.session)
			}
		})
	}
}

// inService reports whether a node has run since the start of the passage and reads its connections.
func (p *passage) inService(n *node) bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return n.serving && n.since.Before(p.began) && !n.gate.isShut()
}

// inspect checks a frame that a node has sent, with the key of the two nodes: no message of a program leaves over SMSG
// to a pinned peer, and a responder sends none before the initiator has proved itself.
func (p *passage) inspect(from int, data []byte) {
	if !p.changed || !p.modern {
		return
	}
	key, err := smsg.NewKey(p.secret)
	p.sides[0].must(err)
	plaintext, err := key.NewOpener(wire.CheckContainerHeader).Open(bytes.Clone(data))
	if err != nil {
		return
	}
	msg, _, err := wire.DecodeSealedBody(plaintext, nil)
	if err != nil {
		return
	}
	sender, receiver := p.sides[from], p.sides[1-from]
	p.w.mu.Lock()
	mode, sure := sender.modeAt(p.began)
	book := sender.shown
	p.w.mu.Unlock()
	if sure && mode == supervisor.SessionRequire {
		p.w.fault("node %d requires sessions and sent %d an SMSG frame of type %s", sender.index, receiver.index, msg.Type)
	}
	if msg.Type != typeTell && msg.Type != typeAsk && msg.Type != typeAnswer {
		return
	}
	known, _ := book.Get(receiver.id)
	switch {
	case from == 1:
		p.w.fault("node %d answered the relay to %d with a message", sender.index, receiver.index)
	case sure && mode == supervisor.SessionPin && known.Session:
		p.w.fault("node %d sent the pinned peer %d a message over SMSG", sender.index, receiver.index)
	case p.kind != mitmStripAll:
		p.w.fault("node %d sent %d a message before its first frame", sender.index, receiver.index)
	}
}
