package main

import (
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
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
	join      string // line with the command by which another node joins, for text; empty: the node does not listen
}

type peerUp struct {
	Peer      string `json:"peer"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	Direction string `json:"direction"`
	Verified  bool   `json:"verified"`

	Connection uint64 `json:"connection"`
	Session    string `json:"session"`           // format of the frames: session/1 or smsg
	Version    string `json:"version,omitempty"` // of the peer's software, as it announces it
	Omitted    int    `json:"omitted,omitempty"`
	Member     string `json:"member,omitempty"` // of a node that several processes share: the one with the connection
}

type peerVerified struct {
	Peer   string `json:"peer"`
	Name   string `json:"name"`
	Member string `json:"member,omitempty"` // this process, of several that share the node
}

type peerMoved struct {
	Peer   string `json:"peer"`
	From   uint64 `json:"from"` // connection numbers
	To     uint64 `json:"to"`
	Member string `json:"member,omitempty"` // this process, of several that share the node
	called string // name of the peer, for text
}

type downgradeRefused struct {
	Peer       string `json:"peer"` // claimed
	Address    string `json:"address"`
	Connection uint64 `json:"connection"`
	Omitted    int    `json:"omitted,omitempty"`
	Member     string `json:"member,omitempty"` // this process, of several that share the node
}

type peerDown struct {
	Peer   string              `json:"peer"`
	Name   string              `json:"name"`
	Code   wire.DisconnectCode `json:"code"`
	Reason string              `json:"reason"`
	Remote bool                `json:"remote"`

	Member  string `json:"member,omitempty"`  // of a node that several processes share: the one that had the connection
	MovedTo string `json:"movedTo,omitempty"` // the member that is connected to the peer now
}

type message struct {
	Peer       string `json:"peer"`
	Connection uint64 `json:"connection"`

	Envelope *wire.Message `json:"message"`
	Member   string        `json:"member,omitempty"` // this process, of several that share the node
	called   string        // name of the peer, for text
}

// bareMessage is a message without its payload, for logs.
type bareMessage struct {
	Peer       string       `json:"peer"`
	Connection uint64       `json:"connection"`
	Envelope   bareEnvelope `json:"message"`
	Member     string       `json:"member,omitempty"` // this process, of several that share the node
	called     string       // name of the peer, for text
	bytes      int          // of the payload, for text
}

type bareEnvelope struct {
	ID        string           `json:"id"`
	Type      wire.MessageType `json:"type"`
	From      string           `json:"from"`
	To        string           `json:"to"`
	Timestamp time.Time        `json:"ts"`
	ReplyTo   string           `json:"replyTo,omitempty"`
}

// withoutPayload returns e, or the message without its payload.
func withoutPayload(e event) event {
	m, ok := e.(message)
	if !ok {
		return e
	}
	bare := bareEnvelope{
		ID: m.Envelope.ID, Type: m.Envelope.Type, From: m.Envelope.From, To: m.Envelope.To,
		Timestamp: m.Envelope.Timestamp, ReplyTo: m.Envelope.ReplyTo,
	}
	return bareMessage{
		Peer: m.Peer, Connection: m.Connection, Envelope: bare, Member: m.Member, called: m.called,
		bytes: len(m.Envelope.Payload),
	}
}

type dialFailed struct {
	Address string  `json:"address"`
	Error   string  `json:"error"`
	RetryIn float64 `json:"retryIn"`          // seconds
	Member  string  `json:"member,omitempty"` // this process, of several that share the node
	advice  string  // remedy, for text; may be empty
}

type peerRefused struct {
	Peer    string `json:"peer"` // this and the next two are claims unless this node dialled
	Key     string `json:"key"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Reason  string `json:"reason"`
	Omitted int    `json:"omitted,omitempty"`
	Member  string `json:"member,omitempty"` // this process, of several that share the node
}

type identityConflict struct {
	Peer      string   `json:"peer"`
	Addresses []string `json:"addresses"` // hosts
	Unproven  bool     `json:"unproven,omitempty"`
	Member    string   `json:"member,omitempty"` // this process, of several that share the node
}

type dropped struct {
	Peer   string `json:"peer"`
	Reason string `json:"reason"` // name of a counter
	Count  int    `json:"count"`
	Member string `json:"member,omitempty"` // this process, of several that share the node
	called string // name of the peer, for text
}

type lost struct {
	Count int `json:"count"` // events that a stream's reader missed
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
func (peerRefused) name() string      { return "peer_refused" }
func (message) name() string          { return "message" }
func (bareMessage) name() string      { return "message" }
func (dialFailed) name() string       { return "dial_failed" }
func (dropped) name() string          { return "dropped" }
func (identityConflict) name() string { return "identity_conflict" }
func (lost) name() string             { return "lost" }
func (stopped) name() string          { return "stopped" }

// eventOf converts an event of the transport; member is this process, or empty without a cluster. It returns nil for
// events without a line.
func eventOf(e supervisor.Event, member string) event {
	switch e := e.(type) {
	case supervisor.PeerUp:
		return peerUp{
			Peer: e.Peer, Name: e.Name, Address: e.Address, Direction: e.Direction.String(), Verified: e.Verified,
			Connection: e.Connection, Session: e.Format.String(), Version: output.Version(e.Agent), Omitted: e.Omitted,
			Member: member,
		}
	case supervisor.PeerVerified:
		return peerVerified{Peer: e.Peer, Name: e.Name, Member: member}
	case supervisor.PeerMoved:
		return peerMoved{Peer: e.Peer, From: e.From, To: e.To, Member: member, called: e.Name}
	case supervisor.DowngradeRefused:
		return downgradeRefused{
			Peer: e.Peer, Address: e.Address, Connection: e.Connection, Omitted: e.Omitted, Member: member,
		}
	case supervisor.PeerRefused:
		return peerRefused{
			Peer: e.Peer, Key: e.Key.String(), Name: e.Name, Address: e.Address, Reason: e.Reason, Omitted: e.Omitted,
			Member: member,
		}
	case supervisor.PeerDown:
		return peerDown{
			Peer: e.Peer, Code: e.Code, Reason: e.Reason, Remote: e.Remote, Name: e.Name, Member: member, MovedTo: e.MovedTo,
		}
	case supervisor.Dropped:
		return dropped{Peer: e.Peer, Reason: e.Reason, Count: e.Count, Member: member, called: e.Name}
	case supervisor.DialFailed:
		return dialFailed{
			Address: e.Address, Error: output.ErrorText(e.Err), RetryIn: e.RetryIn.Seconds(),
			Member: member, advice: control.DialAdvice(e.Address, e.Err),
		}
	case supervisor.IdentityConflict:
		return identityConflict{Peer: e.Peer, Addresses: e.Addresses, Unproven: e.Unproven, Member: member}
	default:
		return nil
	}
}

// messageEvent returns the event of a received message, or nil for ping, pong and disconnect. member is this process.
func messageEvent(peer supervisor.Peer, connection uint64, m *wire.Message, member string) event {
	switch m.Type {
	case wire.MsgPing, wire.MsgPong, wire.MsgDisconnect:
		return nil
	}
	return message{Peer: peer.ID, Connection: connection, Envelope: m, Member: member, called: peer.Name}
}
