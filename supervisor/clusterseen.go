package supervisor

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/dedup"
)

// ClusterSeen is the part of Cluster that decides which member delivers a message: the home of the author, or for an
// author that is connected nowhere, a member that all members choose by its ID. Safe for concurrent use.
type ClusterSeen interface {
	// Author returns the state of the messages that a peer has made itself, for one connection of the peer. Each call
	// must be followed by one of DropAuthor.
	Author(peer string) *ClusterAuthor
	DropAuthor(peer string)
	// Judge returns whose verdict about a message counts, without waiting. stamp is the message's timestamp. adjusted: it
	// is on the clock of this member; the clocks of others may differ.
	Judge(author string, stamp time.Time, adjusted bool) SeenRule
	// CheckSeen asks the other members and sets the verdicts. It blocks until a time at most.
	CheckSeen(checks []*SeenCheck, until time.Time)
	// TakeTokens takes n tokens from the bucket of a peer at the other member that holds it, and returns how many there
	// were. It returns n if no other member holds the peer, or that one has not answered until a time.
	TakeTokens(peer string, n int, until time.Time) int
}

// ClusterSeenLocal is the part of ClusterLocal that gives access to this member's set of seen messages.
type ClusterSeenLocal interface {
	// Seen tests and enters a message that another member asks about.
	Seen(member string, d dedup.Digest) actors.Verdict
	// TakeToken takes a token from the bucket of a peer, for another member that has received a message of it. It returns
	// false if there is none. A peer without a route here has tokens.
	TakeToken(peer string) bool
	// SeenWindow returns the time for which the set remembers a message.
	SeenWindow() time.Duration
	// Clock returns the time that timestamps of messages are compared with.
	Clock() time.Time
	// ExportSeen passes the entries of the set to page, until page returns false.
	ExportSeen(page func([]byte) bool)
	// ImportSeen enters a page of another member. It returns false if the set has no space for all entries.
	ImportSeen(member string, page []byte) bool
}

// SeenRule tells whose verdict about a message counts.
type SeenRule uint8

// The rules.
const (
	SeenHere     SeenRule = iota // the set of this member alone
	SeenStale                    // none: a member that has stopped may have delivered the message
	SeenHereThen                 // first the set of this member; if the message is fresh there, CheckSeen
	SeenAsk                      // CheckSeen; if the message is fresh, the set of this member has the last word
)

// SeenCheck is a message that other members are asked about.
type SeenCheck struct {
	Author   string // node ID
	Digest   dedup.Digest
	Stamp    time.Time // the message's timestamp
	Adjusted bool      // Stamp is on the clock of this member
	Here     bool      // this member's set has decided already (SeenHereThen)

	// Set by CheckSeen: Unanswered, if a member that must be asked did not answer.
	Verdict actors.Verdict
}

// ClusterAuthor tells whether the messages of a peer's own need a check. The cluster writes, connections read.
type ClusterAuthor struct {
	// CheckUntil is a timestamp (Unix nanoseconds). Messages of the peer itself that are stamped later need no check.
	CheckUntil atomic.Int64
}

// Elsewhere reports whether this member does not hold the peer.
func (a *ClusterAuthor) Elsewhere() bool { return a.CheckUntil.Load() == math.MaxInt64 }

// Settled reports whether the set of this member alone decides about the peer's own message with this timestamp.
func (a *ClusterAuthor) Settled(stamp time.Time) bool {
	until := a.CheckUntil.Load()
	return until != math.MaxInt64 && stamp.UnixNano() > until
}
