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
	"github.com/Snider/go-p2p/wire"
)

// MaxHandshakeSize is the largest handshake message that is read, in bytes (protocol section 7).
const MaxHandshakeSize = 16 << 10

// maxBadFrames is how many frames in a row may fail to open before the connection is ended.
const maxBadFrames = 100

// slowGrace is how long a full queue may stand without a byte moving before its peer is closed as slow.
const slowGrace = time.Second

// Limits are the limits of every connection of a node (protocol section 6).
type Limits struct {
	MaxMessageSize   int64         // bytes of one WebSocket message
	PingInterval     time.Duration // between pings
	PongTimeout      time.Duration // beyond PingInterval, until silence ends the connection
	HandshakeTimeout time.Duration // from the slot to the finished handshake
	WriteTimeout     time.Duration // one write to the operating system, and one message from first byte to last
	RateBurst        float64       // tokens
	RateRefill       float64       // tokens a second; 0: no limit
	PaceOff          bool          // send above the peer's announced limit at once, and count it
	MaxClockSkew     time.Duration // of a message's stamp, either way
	QueueMessages    int           // outbound, until written
	QueueBytes       int           // outbound, until written
	InboundBytes     int           // from the read until the handler has returned
}

// Node is what all connections of one node share. Its fields are fixed once the first connection exists.
type Node struct {
	System     *actor.ActorSystem
	Keys       *crypto.NodeManager
	Limits     Limits
	Counters   *Counters
	LimitedLog *LimitedLogger
	Drops      *DropReports // nil: drops are no events
	Log        *slog.Logger
	Replies    ReplyRouter
	Wall       func() time.Time // the clock that stamps and judges messages; nil: time.Now. Durations never depend on it
	Running    *runclock.Clock  // judges the timeouts of peers; nil: no standstill is known of
	Rand       io.Reader        // challenges and nonces
	Spawn      func(func())     // starts a goroutine of this node that lives as long as its socket
	Writers    *Activity        // runs the writers of all connections; nil: a goroutine each time
	Readers    *Workers         // read for connections that are idle mostly; nil: each reads for itself
	OwnDials   OwnDials         // hears of handshakes that show this node's own key; nil: unused
	Observer   Observer         // nil: nobody wants to know how long things take
	Born       time.Time        // the base of compact times; any moment with a monotonic clock before the first connection

	frames  buffers
	results sync.Pool // of chan error, with room for one
}

// Clock returns the time by which messages are stamped and judged.
func (n *Node) Clock() time.Time { return n.ClockAt(time.Now()) }

// ClockAt is Clock for who has just asked what time it is: on some machines asking is as dear as sealing a block.
func (n *Node) ClockAt(now time.Time) time.Time {
	if n.Wall == nil {
		return now
	}
	return n.Wall()
}

// OwnDials recognises dials that have reached the node itself.
type OwnDials interface {
	// Reflected says that an inbound handshake shows this node's own key and this challenge. It is called before the
	// handshake is refused, never blocks, and is safe for concurrent use.
	Reflected(challenge [crypto.ChallengeSize]byte)
}

// ReplyRouter hands an answer to whoever waits for it.
type ReplyRouter interface {
	// Reply reports whether somebody waited for this answer from this peer. It never blocks. Safe for concurrent use.
	Reply(peerID string, msg *wire.Message) bool
}

// Verdict is what the dedup set says of a message.
type Verdict int

// The verdicts.
const (
	Fresh     Verdict = iota // not seen before; it is now
	Duplicate                // seen before
	Full                     // the set has no room for more of this peer's messages
	Stale                    // stamped before the set began, which cannot tell
)

// Deduplicator tests and marks the messages of one peer in one step. Safe for concurrent use.
type Deduplicator interface {
	Seen(msg *wire.Message, now time.Time) Verdict
	// Known returns the verdict that Seen would return at now, and enters nothing: an unverified connection must not
	// mark ids of the peer that it claims to be.
	Known(msg *wire.Message, now time.Time) Verdict
	// Expect says that Seen is probably about to be asked about a message with this id, so that the set can have at hand
	// what it needs. It decides and keeps nothing.
	Expect(id []byte)
}

// Direction says who opened a connection.
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

// End says how a connection ended.
type End struct {
	Code   wire.DisconnectCode
	Reason string
	Remote bool  // the peer sent a disconnect message or closed the WebSocket itself
	Err    error // for a connection that never opened: what the one who asked for it is told
}

// Socket returns the limits of a new socket: until the handshake is done it reads no more than a handshake needs.
func (l *Limits) Socket() socket.Options {
	return socket.Options{ReadLimit: MaxHandshakeSize, MessageTimeout: l.WriteTimeout, WriteTimeout: l.WriteTimeout}
}
