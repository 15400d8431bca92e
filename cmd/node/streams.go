package main

import (
	"bytes"
	"context"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// newFeed returns the feed of the node's event streams.
func (n *node) newFeed() *feed.Feed {
	report := func(count int) feed.Event { return fed(lost{Count: count}, n.now()) }
	return feed.New(report, func(count int) { n.CountLostEvents(count) })
}

// publish passes an event to the streams, and then to standard output, whose reader may block. Its time is the same in
// all of them. It returns false if a handler lost the message.
func (n *node) publish(e event) (taken bool) {
	moment := n.now()
	n.remember(e, moment)
	taken = true
	if n.feed.Open() {
		taken = n.feed.Publish(fed(e, moment))
	}
	n.events.add(e, moment)
	return taken
}

// remember keeps an event for reports, unless it is a message.
func (n *node) remember(e event, moment time.Time) {
	if _, ok := e.(message); !ok {
		_, _ = n.recent.Write(eventFormat(settings.OutputJSON).line(e, moment)) // never fails
	}
}

// Watch implements control.Node.
func (n *node) Watch(filter feed.Filter, text bool) (*feed.Stream, error) {
	return n.feed.Watch(filter, text)
}

// HandleType implements control.Node.
func (n *node) HandleType(kind string) (*feed.Stream, error) { return n.feed.Handle(kind) }

// endStreams passes the last event to the streams and waits for their readers, for closeGrace at most.
func (n *node) endStreams(last stopped, moment time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	select {
	case <-n.feed.Close(fed(last, moment)):
	case <-ctx.Done():
	}
}

// fed returns an event for the feed.
func fed(e event, now time.Time) feed.Event {
	out := feed.Event{Name: e.name(), Peer: peerOf(e), Line: func(text bool) []byte {
		form := eventFormat(settings.OutputJSON)
		if text {
			form = settings.OutputText
		}
		return bytes.TrimSuffix(form.line(e, now), []byte("\n"))
	}}
	if m, ok := e.(message); ok {
		out.Type = string(m.Envelope.Type)
	}
	return out
}

// peerOf returns the ID of the peer that an event is about, or "".
func peerOf(e event) string {
	switch e := e.(type) {
	case peerUp:
		return e.Peer
	case peerVerified:
		return e.Peer
	case peerMoved:
		return e.Peer
	case peerDown:
		return e.Peer
	case peerRefused:
		return e.Peer
	case downgradeRefused:
		return e.Peer
	case identityConflict:
		return e.Peer
	case dropped:
		return e.Peer
	case message:
		return e.Peer
	default:
		return ""
	}
}

// onMessage reports a message, and answers a request that nothing here handles.
func (n *node) onMessage(c *supervisor.PeerConnection, m *wire.Message) {
	e := messageEvent(c.Peer(), c.Number(), m, n.Member())
	if e == nil {
		return
	}
	if m.Type.IsDeployedRequest() && !n.readsInput && !n.feed.Attended(string(m.Type)) {
		n.refuse(c, m, wire.ErrCodeNotFound, "this node does not handle messages of this type")
	}
	if !n.publish(e) {
		n.refuse(c, m, wire.ErrCodeOperationFailed, "too many messages wait for the handler of this type")
	}
}

// refuse answers a request of a verified peer to this node with an error. It does not wait: the answer is dropped if
// the peer's queue is full.
func (n *node) refuse(c *supervisor.PeerConnection, m *wire.Message, code wire.ErrorCode, text string) {
	own := n.Identity().ID
	if !c.Verified() || m.From != c.Peer().ID || m.To != own || m.ReplyTo != "" || m.Type == wire.MsgError {
		return
	}
	answer, err := wire.NewErrorMessage(own, m.From, code, text, m.ID)
	if err == nil {
		err = c.Post(answer)
	}
	if err != nil {
		n.log.Debug("a refusal was not sent", "peer", m.From, "error", err)
	}
}
