// Package supervisor holds all connections of a node: the registry actor that supervises them, admission, dedup,
// broadcast, the peer book, the dialling and listening, and Transport, which is how programs use the tree.
//
// # A node
//
// A node is an identity (crypto.NodeManager), a peer book (PeerRegistry) and a TransportConfig; NewTransport makes a
// Transport of them. Set its handlers, Start it, Stop it once. Several in one process share nothing. See the example of
// NewTransport, and that of the package for two nodes that talk.
//
// # Messages
//
// A message is a wire.Message: JSON of any type that the programs agree on. Send returns nil once the operating system has
// it, and otherwise one of the errors below, inside a PeerError that names the peer; Broadcast waits for nobody and says
// who missed the message; Request waits for the message whose ReplyTo is the id of the one that was sent. What arrives
// goes to OnMessage: in order for each connection, each message at most once, one at a time for each connection and
// connections side by side. A handler may block, panic, call runtime.Goexit, and call anything: that harms the messages of its own connection
// and nothing else. PeerConnection.Peer says who delivered a message, Message.From who made it.
//
// # Connections
//
// Connect opens a connection once; ConnectAddress and TransportConfig.Peers keep a peer connected, with a growing pause
// between two dials. One PeerConnection, inbound or outbound, carries a peer's traffic: its route. When another connection
// takes over, Send uses that and PeerMoved reports it. A connection has a route only after the peer has proven its key
// there (PeerConnection.Strength); until then Send returns ErrNotConnected and Broadcast skips the peer.
//
// Events (PeerUp, PeerVerified, PeerMoved, PeerDown, Dropped, DialFailed, DowngradeRefused, IdentityConflict, ListenerDown) go to
// OnEvent, in one order with the messages. A peer that binds its frames is reported by PeerUp when it has a route; an inbound
// peer that does not, a deployed node, before its proof, and Send works from PeerVerified on. ListenerDown reports that no
// peer can connect any more: a program that needs inbound peers then makes a new transport, or ends.
//
// # By messages only
//
// A program that lives in actors gives its own system with WithActorSystem and uses Transport.PID: it takes Send,
// Broadcast, Connect, Disconnect, DisconnectConnection, Subscribe and Unsubscribe, and answers with Sent, Broadcasted,
// Connected, Disconnected, ConnectionEnding and Subscribed. A subscriber gets every Event as a message, Received for each message of a peer included.
//
// # Limits
//
// Everything that a stranger can make grow has a bound, in TransportConfig: connections, in all and for each address; bytes
// of a message; messages and bytes that wait, outbound and inbound; messages a second; time for a handshake, for a write
// and for silence. What is dropped or refused is counted by its reason: Transport.Counters. Reconfigure changes limits
// while the transport runs.
//
// # When something breaks
//
// Each connection is an actor, a child of the registry. One that panics is stopped and its place is free again; the peer is
// dialled again if it is to be kept connected. The registry itself goes on after a panic, with the connections that it
// has. WithConnWrapper, WithDialer, WithListener, WithClock, WithRunningClock and WithFaults are the places where a test puts
// faults of its own.
package supervisor
