package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// event is one line of the output of `node run`. Its fields, in this order, are the keys of the JSON after event and
// time.
type event interface {
	name() string
	text() string
}

type listening struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	PublicKey string `json:"publicKey"`
	Address   string `json:"address"` // the bound host:port, "" if the node does not listen
	URL       string `json:"url"`
	Admin     string `json:"admin"` // URL of the dashboard, "" if it is off
	Control   string `json:"control"`
}

type peerUp struct {
	Peer      string `json:"peer"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	Direction string `json:"direction"`
	Verified  bool   `json:"verified"`

	Connection uint64 `json:"connection"`
	Session    string `json:"session"` // format of the frames: session/1 or smsg
	Omitted    int    `json:"omitted,omitempty"`
}

type peerVerified struct {
	Peer string `json:"peer"`
	Name string `json:"name"`
}

type peerMoved struct {
	Peer   string `json:"peer"`
	From   uint64 `json:"from"` // connection numbers
	To     uint64 `json:"to"`
	called string // name of the peer, for text
}

type downgradeRefused struct {
	Peer       string `json:"peer"` // claimed
	Address    string `json:"address"`
	Connection uint64 `json:"connection"`
	Omitted    int    `json:"omitted,omitempty"`
}

type peerDown struct {
	Peer   string              `json:"peer"`
	Name   string              `json:"name"`
	Code   wire.DisconnectCode `json:"code"`
	Reason string              `json:"reason"`
	Remote bool                `json:"remote"`
}

type message struct {
	Peer       string `json:"peer"`
	Connection uint64 `json:"connection"`

	Envelope *wire.Message `json:"message"`
	called   string        // name of the peer, for text
}

type dialFailed struct {
	Address string  `json:"address"`
	Error   string  `json:"error"`
	RetryIn float64 `json:"retryIn"` // seconds
	advice  string  // remedy, for text; may be empty
}

type identityConflict struct {
	Peer      string   `json:"peer"`
	Addresses []string `json:"addresses"` // hosts
	Unproven  bool     `json:"unproven,omitempty"`
}

type dropped struct {
	Peer   string `json:"peer"`
	Reason string `json:"reason"` // name of a counter
	Count  int    `json:"count"`
	called string // name of the peer, for text
}

type stopped struct {
	Reason string `json:"reason"`
}

func (listening) name() string        { return "listening" }
func (peerUp) name() string           { return "peer_up" }
func (peerVerified) name() string     { return "peer_verified" }
func (peerDown) name() string         { return "peer_down" }
func (peerMoved) name() string        { return "peer_moved" }
func (downgradeRefused) name() string { return "downgrade_refused" }
func (message) name() string          { return "message" }
func (dialFailed) name() string       { return "dial_failed" }
func (dropped) name() string          { return "dropped" }
func (identityConflict) name() string { return "identity_conflict" }
func (stopped) name() string          { return "stopped" }

// eventLog writes events, each in one write. The first event is listening and the last is stopped: earlier events wait
// for listening, later ones are dropped. Safe for concurrent use.
type eventLog struct {
	out    io.Writer
	output string // settings.OutputText or OutputJSON
	now    func() time.Time

	broken chan struct{} // closed when a write to out fails

	mu      sync.Mutex
	opened  bool
	ended   bool
	waiting bytes.Buffer // lines before listening
}

func newEventLog(out io.Writer, output string, now func() time.Time) *eventLog {
	return &eventLog{out: out, output: output, now: now, broken: make(chan struct{})}
}

// open writes the first event and the events that waited for it.
func (l *eventLog) open(first listening) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = true
	l.write(l.line(first))
	l.write(l.waiting.Bytes())
	l.waiting = bytes.Buffer{}
}

// add writes an event.
func (l *eventLog) add(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
	case l.opened:
		l.write(l.line(e))
	default:
		l.waiting.Write(l.line(e))
	}
}

// close writes the last event. If the reader of out does not read, close returns when ctx ends.
func (l *eventLog) close(ctx context.Context, last stopped) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.add(last)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (l *eventLog) write(line []byte) {
	if len(line) == 0 {
		return
	}
	if _, err := l.out.Write(line); err != nil {
		l.ended = true
		close(l.broken) // once: ended prevents further writes
	}
}

// line formats an event as one line with a line break.
func (l *eventLog) line(e event) []byte {
	now := l.now()
	if l.output == settings.OutputText {
		return append(now.AppendFormat(nil, "15:04:05.000  "), e.text()+"\n"...)
	}
	head, err := wire.MarshalJSON(struct {
		Event string    `json:"event"`
		Time  time.Time `json:"time"`
	}{e.name(), now.UTC()})
	if err == nil {
		var rest []byte
		if rest, err = wire.MarshalJSON(e); err == nil {
			// Every event has at least one key, so the two objects join with a comma.
			head[len(head)-1] = ','
			return append(append(head, rest[1:]...), '\n')
		}
	}
	// Unreachable: only a payload could be invalid JSON, and the decoder has checked it.
	fallback, _ := json.Marshal(map[string]string{"event": e.name(), "error": err.Error()})
	return append(fallback, '\n')
}

// eventOf converts an event of the transport. It returns nil for events without a line.
func eventOf(e supervisor.Event) event {
	switch e := e.(type) {
	case supervisor.PeerUp:
		return peerUp{
			Peer: e.Peer, Name: e.Name, Address: e.Address, Direction: e.Direction.String(), Verified: e.Verified,
			Connection: e.Connection, Session: e.Format.String(), Omitted: e.Omitted,
		}
	case supervisor.PeerVerified:
		return peerVerified{Peer: e.Peer, Name: e.Name}
	case supervisor.PeerMoved:
		return peerMoved{Peer: e.Peer, From: e.From, To: e.To, called: e.Name}
	case supervisor.DowngradeRefused:
		return downgradeRefused{Peer: e.Peer, Address: e.Address, Connection: e.Connection, Omitted: e.Omitted}
	case supervisor.PeerDown:
		return peerDown{Peer: e.Peer, Code: e.Code, Reason: e.Reason, Remote: e.Remote, Name: e.Name}
	case supervisor.Dropped:
		return dropped{Peer: e.Peer, Reason: e.Reason, Count: e.Count, called: e.Name}
	case supervisor.DialFailed:
		return dialFailed{
			Address: e.Address, Error: output.ErrorText(e.Err), RetryIn: e.RetryIn.Seconds(),
			advice: control.DialAdvice(e.Address, e.Err),
		}
	case supervisor.IdentityConflict:
		return identityConflict{Peer: e.Peer, Addresses: e.Addresses, Unproven: e.Unproven}
	default:
		return nil
	}
}

// messageEvent returns the event of a received message, or nil for ping, pong and disconnect.
func messageEvent(peer supervisor.Peer, connection uint64, m *wire.Message) event {
	switch m.Type {
	case wire.MsgPing, wire.MsgPong, wire.MsgDisconnect:
		return nil
	}
	return message{Peer: peer.ID, Connection: connection, Envelope: m, called: peer.Name}
}
