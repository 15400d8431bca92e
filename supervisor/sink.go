package supervisor

import (
	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// connectionSink publishes the events and messages of one connection. It is a type of its own so that the holder of a
// PeerConnection cannot publish messages and events in the peer's name.
type connectionSink struct{ *PeerConnection }

// Do implements actors.Sink. It publishes an event in order with the connection's messages.
func (s connectionSink) Do(event any) {
	switch e := event.(type) {
	case *announcementDue:
		s.bus.publishDue(e)
	case Event:
		s.bus.publish(e)
	case *actors.Dropped:
		s.bus.publish(Dropped{Peer: s.peer.ID, Name: s.peer.Name, Reason: e.Reason.String(), Count: e.Count})
	}
}

// Message implements actors.Sink.
func (s connectionSink) Message(msg *wire.Message) {
	c := s.PeerConnection
	if c.bus.subscribed() {
		c.bus.deliver(Received{Connection: c, Message: msg})
		if c.unfenced++; c.unfenced >= fenceEvery {
			c.unfenced = 0
			c.bus.awaitSubscribers()
		}
	}
	c.bus.dispatch(c, msg)
}

// eventSink publishes events that belong to no connection.
type eventSink struct{ bus *eventBus }

// Do implements actors.Sink.
func (s eventSink) Do(event any) {
	if e, ok := event.(Event); ok {
		s.bus.publish(e)
	}
}

// Message implements actors.Sink. A node event has no messages.
func (eventSink) Message(*wire.Message) {}
