// Package supervisor holds all connections of a node: the registry actor that supervises them, admission, routing,
// broadcast, dialling and listening, and Transport, the API for programs. Message ids are in package dedup, the peer
// book is in package peerbook.
//
// # A node
//
// A node consists of an identity (crypto.NodeManager), a peer book (PeerRegistry) and a TransportConfig. NewTransport
// makes a Transport of them. Set its handlers, call Start, and call Stop once. Transports in one process share nothing.
// See the example of NewTransport, and the example of the package for two nodes that talk.
//
// # Messages
//
// A message is a wire.Message: JSON of a type that the programs agree on. Send returns nil when the operating system
// has accepted the message, otherwise one of the errors below, inside a PeerError that names the peer. Broadcast never
// waits, and returns the peers that missed the message. Request waits for a message whose ReplyTo is the id of the
// request. Handle sets the handler of a message type, which returns the reply; OnMessage gets the inbound messages of
// the other types. Each comes at most once, one at a time and in order for each connection. Handlers of different
// connections run concurrently. A handler may block, panic, call runtime.Goexit or any method of the API: only messages
// of its own connection are affected. PeerConnection.Peer is the peer that delivered a message, Message.From its
// author.
//
// # Connections
//
// Connect opens a connection once. ConnectAddress and TransportConfig.Peers keep a peer connected, with a growing pause
// between dials. One connection, inbound or outbound, is the route to a peer. When another connection becomes the
// route, Send uses it and PeerMoved reports it. A connection becomes the route only after the peer has proved its key
// on it (PeerConnection.Strength). Until then Send returns ErrNotConnected and Broadcast skips the peer.
//
// Events (PeerUp, PeerVerified, PeerMoved, PeerDown, PeerRefused, Dropped, DialFailed, DowngradeRefused,
// IdentityConflict, ListenerDown) go to OnEvent, in order with the messages of their connection. PeerUp reports a peer
// that binds its frames when it has a route. PeerUp reports an inbound deployed node, which does not bind them, before
// its proof: Send works after PeerVerified. ListenerDown reports that no peer can connect any more. A program that
// needs inbound peers must make a new transport then, or exit.
//
// # By messages only
//
// A program built of actors passes its actor system to WithActorSystem and uses Transport.PID. The registry accepts
// Send, Broadcast, Request, Connect, Disconnect, DisconnectConnection, Subscribe, Unsubscribe, Peers, Status, Allow,
// Revoke and SetAuthMode, and answers each message with Sent, Broadcasted, Replied and so on, which name the message
// that they belong to. Subscribed lists the connected peers; from then on the subscriber gets every Event as a message,
// and Received for each message of a peer.
//
// # Limits
//
// TransportConfig limits everything that remote nodes can make grow: connections, in total and per address; bytes of a
// message; messages and bytes in the inbound and outbound queues; messages per second; the time of a handshake, of a
// write and without a sign of life. Every drop and refusal is counted by its reason, see Transport.Counters.
// Reconfigure changes limits while the transport runs.
//
// # Faults
//
// Each connection is an actor, a child of the registry. If it panics, it is stopped and its slot is freed; a peer that
// is kept connected is dialled again. After a panic of its own, the registry continues with all connections. Tests
// inject faults through WithConnWrapper, WithDialer, WithListener, WithClock, WithRunningClock and WithFaults.
package supervisor
