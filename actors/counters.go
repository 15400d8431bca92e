package actors

import "sync/atomic"

// Counter names a counter of a node. The names that String returns are part of the contract of the node binary and
// never change.
type Counter int

// The counters. Each drop and each refusal has one.
const (
	MessagesReceived    Counter = iota // messages that passed every check
	MessagesSent                       // frames accepted by the operating system
	BytesReceived                      // bytes of read frames, including dropped ones
	BytesSent                          // bytes of frames accepted by the operating system
	FramesMalformed                    // frames that did not open or held no valid message
	MessagesRateLimited                // frames, or in a cluster messages, dropped because the token bucket was empty
	MessagesDuplicate                  // messages seen before
	MessagesStale                      // messages with a timestamp too far from now
	// Messages of our own sent back to us; messages relayed by an unverified peer; ping, pong and disconnect whose from is
	// not the peer of the connection; messages for which the dedup set has no space.
	MessagesRefused
	HandshakesAccepted // connections that opened
	HandshakesRejected // by this node or by an invalid answer; and inbound handshakes that did not finish
	ConnectionsRefused // HTTP 503, and connections evicted before their upgrade
	OriginsRefused     // HTTP 403
	SlowPeersClosed    // connections closed because the peer read too slowly
	PeersTimedOut      // connections closed for silence, or because the peer proved nothing in time
	ActorRestarts      // panics: a connection was stopped, or the registry continued
	HandlerPanics      // panics and runtime.Goexit in handlers and observers
	Dials              // attempts
	DialsFailed
	MessagesAfterGoodbye // frames read after a close began and not delivered
	MessagesOverPeerRate // messages sent above the rate that the peer announced
	AcceptErrors         // failed accept calls of the listener
	BookWriteErrors      // failed background writes of the peer book
	DowngradesRefused    // connections closed because of a frame for another connection
	SubscribersStuck     // subscribers unsubscribed after a minute without reading
	EventsLost           // events that slow readers of the program's event streams missed
	RepliesDropped       // replies of handlers that could not be enqueued
	LogLinesDropped      // log lines dropped because the log handler blocked or was slow
	ClusterChecks        // messages about which other members of the node were asked
	ClusterUnchecked     // messages delivered although another member did not answer
	ClusterForwarded     // messages accepted for peers of other members
	ClusterForwardFailed // messages to peers of other members that ended with an error
	ClusterClaims        // claims of this member for peers that proved their key here
	ClusterTaken         // peers of this member that another member took over
	ClusterSnapshots     // complete lists of peers read from other members, after a start or a gap
	// Messages of other members, by the reason for which they were dropped.
	ClusterDroppedMalformed // not decoded, or sealed with another key
	ClusterDroppedVersion   // of another message format, or of a kind that this version does not know
	ClusterDroppedRefused   // of a taken name, an earlier start, too many members or claims; repeated; while leaving
	ClusterDroppedUnhandled // beyond the 64 MiB that wait for their handler: this member does not keep up
	MembersLost             // losses of members: nothing was heard for two seconds, or nothing subscribes there

	numCounters
)

var counterNames = [numCounters]string{
	MessagesReceived:     "messagesReceived",
	MessagesSent:         "messagesSent",
	BytesReceived:        "bytesReceived",
	BytesSent:            "bytesSent",
	FramesMalformed:      "framesMalformed",
	MessagesRateLimited:  "messagesRateLimited",
	MessagesDuplicate:    "messagesDuplicate",
	MessagesStale:        "messagesStale",
	MessagesRefused:      "messagesRefused",
	HandshakesAccepted:   "handshakesAccepted",
	HandshakesRejected:   "handshakesRejected",
	ConnectionsRefused:   "connectionsRefused",
	OriginsRefused:       "originsRefused",
	SlowPeersClosed:      "slowPeersClosed",
	PeersTimedOut:        "peersTimedOut",
	ActorRestarts:        "actorRestarts",
	HandlerPanics:        "handlerPanics",
	Dials:                "dials",
	DialsFailed:          "dialsFailed",
	MessagesAfterGoodbye: "messagesAfterGoodbye",
	MessagesOverPeerRate: "messagesOverPeerRate",
	AcceptErrors:         "acceptErrors",
	BookWriteErrors:      "bookWriteErrors",
	DowngradesRefused:    "downgradesRefused",
	SubscribersStuck:     "subscribersStuck",
	EventsLost:           "eventsLost",
	RepliesDropped:       "repliesDropped",
	LogLinesDropped:      "logLinesDropped",
	ClusterChecks:        "clusterChecks",
	ClusterUnchecked:     "clusterUnchecked",
	ClusterForwarded:     "clusterForwarded",
	ClusterForwardFailed: "clusterForwardFailed",
	ClusterClaims:        "clusterClaims",
	ClusterTaken:         "clusterTaken",
	ClusterSnapshots:     "clusterSnapshots",
	MembersLost:          "membersLost",

	ClusterDroppedMalformed: "clusterDroppedMalformed",
	ClusterDroppedVersion:   "clusterDroppedVersion",
	ClusterDroppedRefused:   "clusterDroppedRefused",
	ClusterDroppedUnhandled: "clusterDroppedUnhandled",
}

// String returns the counter's name as `node status` prints it.
func (c Counter) String() string { return counterNames[c] }

// Counters are the counters of one node since its start. Safe for concurrent use.
type Counters struct {
	values [numCounters]atomic.Uint64
}

// Inc adds one.
func (c *Counters) Inc(name Counter) { c.values[name].Add(1) }

// Add adds n.
func (c *Counters) Add(name Counter, n int) { c.values[name].Add(uint64(n)) }

// Get returns the current value.
func (c *Counters) Get(name Counter) uint64 { return c.values[name].Load() }

// Snapshot returns all counters by name. Each value is exact; together they are not of one instant.
func (c *Counters) Snapshot() map[string]uint64 {
	all := make(map[string]uint64, numCounters)
	for i := range numCounters {
		all[i.String()] = c.Get(i)
	}
	return all
}
