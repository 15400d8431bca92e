package actors

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// maxHandshakeSize is the size limit of a handshake message in bytes (protocol section 7).
const maxHandshakeSize = 16 << 10

// maxBadFrames is the number of consecutive malformed frames that closes the connection.
const maxBadFrames = 100

// slowGrace is the time without progress of the writer after which a peer with a full outbox is closed as slow.
const slowGrace = time.Second

// Limits are the limits of every connection of a node (protocol section 6).
type Limits struct {
	MaxMessageSize   int64         // bytes of one WebSocket message
	PingInterval     time.Duration // between pings
	PongTimeout      time.Duration // added to PingInterval: the silence limit
	HandshakeTimeout time.Duration // from the slot to the end of the handshake
	WriteTimeout     time.Duration // for one write to the operating system, and for one message from first to last byte
	RateBurst        float64       // tokens
	RateRefill       float64       // tokens per second; 0: no limit
	PaceOff          bool          // send above the peer's announced limit at once and count it
	MaxClockSkew     time.Duration // of a message's timestamp, in both directions
	QueueMessages    int           // outbound, until written
	QueueBytes       int           // outbound, until written
	QueueShare       int           // of QueueBytes, without bytes of Node.Queues
	InboundBytes     int           // inbound, until the handler has returned
	Agent            string        // software and version that peers are told; empty: nothing
	Session          SessionPolicy // the zero value speaks SMSG only
}

// SessionPolicy decides about sessions (protocol section session/1).
type SessionPolicy struct {
	Offer bool // offer a session to every peer, and answer the offers of peers
	KEM   bool // add ML-KEM-768 to our offers
}

// Node is shared by all connections of one node. Its fields are constant once the first connection exists.
type Node struct {
	System     *actor.ActorSystem
	Keys       *crypto.NodeManager
	Limits     Limits
	Counters   *Counters
	LimitedLog *LimitedLogger
	Drops      *DropReports // nil: no Dropped events
	Log        *slog.Logger
	Wall       func() time.Time // clock for timestamps; nil: time.Now. Durations never depend on it
	Running    *runclock.Clock  // measures the timeouts of peers; nil: real time
	Rand       io.Reader        // challenges and nonces
	Spawn      func(func())     // starts a goroutine that lives as long as a socket
	Writers    *Activity        // runs the writers; nil: a new goroutine each time
	Readers    *Workers         // read for idle connections; nil: each pump reads itself
	Queues     *QueuePool       // bounds all outbound queues; nil: no limit
	Observer   Observer         // nil: times are not measured
	Claims     bool             // RoutePublished may take long: no message is delivered before it, also at the end
	Born       time.Time        // base of compact times, before the first connection, with a monotonic clock

	// Called by the actors of connections: neither function may block, and both must be safe for concurrent use.

	// OnReply routes a message with replyTo from a verified peer to the requests that wait for it.
	OnReply func(peerID string, msg *wire.Message)
	// OnOwnKey receives the challenge of an inbound handshake that shows this node's own key, before the handshake is
	// refused. It returns true at the first call for the challenge of a dial in progress: the refusal is then neither
	// counted nor logged, because the dial reports it. nil: not reported.
	OnOwnKey func(challenge [crypto.ChallengeSize]byte) (first bool)

	frames  buffers
	results sync.Pool // of resultChan
	spawner spawner
}

// Clock returns the time for timestamps.
func (n *Node) Clock() time.Time { return n.ClockAt(time.Now()) }

// ClockAt returns the time for timestamps, given a current time.Now: on some machines a reading of the clock costs as
// much as sealing a block.
func (n *Node) ClockAt(now time.Time) time.Time {
	if n.Wall == nil {
		return now
	}
	return n.Wall()
}

// Verdict is the answer of the dedup set for a message.
type Verdict int

// The verdicts.
const (
	Fresh      Verdict = iota // not seen before; entered now
	Duplicate                 // seen before
	Full                      // no space for more messages of this peer
	Stale                     // timestamp before the start of the set, which cannot tell
	Unanswered                // another member of the node must be asked, and has not answered
	OverRate                  // the peer's bucket at another member of the node is empty
)

// Deduplicator tests and enters the messages of one peer in one step. Safe for concurrent use.
type Deduplicator interface {
	Seen(msg *wire.Message, now time.Time) Verdict
	// SeenInSession is Seen for a message of the peer itself that its session protects against replay: the verdict is
	// never Stale. key is the result of ExpectKeys for its ID, or 0 if it is not known.
	SeenInSession(msg *wire.Message, key uint64, now time.Time) Verdict
	// SeenTogether is SeenInSession for several messages with keys, up to the first one that is not Fresh. It returns the
	// number of messages before that one, and its verdict, or Fresh if there is none.
	SeenTogether(messages []wire.Message, keys []uint64, now time.Time) (fresh int, verdict Verdict)
	// Known returns the verdict of Seen and enters nothing: an unverified connection must not enter IDs for the peer that
	// it claims to be.
	Known(msg *wire.Message, now time.Time) Verdict
	// Expect announces that Seen will probably be called with this ID, so that the set can prefetch the entry. It changes
	// nothing.
	Expect(id []byte)
	// ExpectKeys is Expect for the IDs of several messages and sets keys to their keys.
	ExpectKeys(messages []wire.Message, keys []uint64)
}

// Direction tells whether this node accepted or dialled a connection.
type Direction int

// The directions.
const (
	Inbound Direction = iota
	Outbound
)

// String returns "inbound" or "outbound".
func (d Direction) String() string {
	if d == Outbound {
		return "outbound"
	}
	return "inbound"
}

// MarshalText implements encoding.TextMarshaler.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// End is the reason for the end of a connection.
type End struct {
	Code   wire.DisconnectCode
	Reason string
	Remote bool  // the peer sent a disconnect message or closed the WebSocket itself
	Err    error // for a connection that never opened: returned to the caller that dialled
}

// readLimit returns the limit of a WebSocket message in bytes, after the handshake. In a session it covers a record of
// several messages; each of them is checked against MaxMessageSize.
func (l *Limits) readLimit(inSession bool) int64 {
	if !inSession {
		return l.MaxMessageSize
	}
	return max(l.MaxMessageSize, session.MaxRecord) + recordOverhead
}

// recordOverhead is the largest difference between the size of a record and that of its messages, in bytes.
const recordOverhead = 64

// Socket returns the limits of a new socket, whose read limit is that of a handshake.
func (l *Limits) Socket() socket.Options {
	return socket.Options{ReadLimit: maxHandshakeSize, MessageTimeout: l.WriteTimeout, WriteTimeout: l.WriteTimeout}
}
