package supervisor

import (
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Cluster is the rest of a node that several processes share: its other members, which have the same identity key. The
// registry calls Claim, Release and Home, which never block. Safe for concurrent use.
type Cluster interface {
	// Join starts the exchange with the other members. It returns when this member knows which peers the others hold, or
	// when no member answers. Errors: a name that another member has, a member of another version, ctx's.
	Join(ctx context.Context, local ClusterLocal) error
	// Leave releases all peers and tells the other members. Undecided claims are refused. It returns when the engine has
	// stopped; a second call does nothing.
	Leave()
	// Name returns the name of this member.
	Name() string
	// Drain announces that this member leaves soon: the other members keep its addresses connected. Claims stay.
	Drain()
	// Home returns the name of the member that holds the connection of a peer, and whether there is one.
	Home(peer string) (member string, held bool)
	// Claim asks for a peer that has proven its key on a connection of this member. decided is called exactly once, on
	// any goroutine. While one claim for a peer is undecided, a further one takes its place, and the first is refused.
	Claim(c Claim, decided func(ClaimVerdict))
	// Release ends a granted claim. It does nothing if the term is not the granted one.
	// tokens are those left in the bucket of the peer; negative: unknown. The next home takes them over.
	Release(peer string, term uint64, tokens float64)
	// AwaitFree calls freed once, on any goroutine, when the other member that holds a peer holds it no longer. If none
	// holds it, that is so after a second. For each peer a further call replaces the one before it. Claim and Leave drop
	// it.
	AwaitFree(peer string, freed func())
	// Dials reports whether this member is the one that keeps an address of the configuration connected: the living
	// members share the addresses. It changes only with ClusterLocal.MembersChanged.
	Dials(url string) bool
	// Admits returns why this member, with this number of connections, admits no further one; empty: it does. It takes no
	// lock.
	Admits(connections int) (refused string)
	// AskMember sends a question to another member and returns the answer of its ClusterLocal.Answer. The errors are
	// ErrUnanswered (errors.Is), after two seconds at the latest, and ctx's.
	AskMember(ctx context.Context, member string, question []byte) ([]byte, error)
	// Members returns all known members by name, this one included.
	Members() []ClusterMember
	ClusterSeen
	ClusterBook
	ClusterForward
}

// ClusterLocal is the part of this member that the cluster calls. Its methods return at once; safe for concurrent use.
type ClusterLocal interface {
	// Contest reports that another member claims a peer which this member holds. decide is called exactly once, on any
	// goroutine, unless the member claims the peer again before: granted, when the connection here has ended or lost
	// against the claim.
	Contest(c Claim, decide func(ClaimVerdict))
	// Taken reports that another member holds a peer of this member under a higher term. The connection here must be
	// closed as a duplicate, and the claim released.
	Taken(peer, member string, term uint64)
	// MembersChanged reports that a member has joined, has left, is lost or drains: Cluster.Dials may have changed.
	MembersChanged()
	// Count adds one to a counter of this member.
	Count(counter actors.Counter)
	// Answer answers a question of another member. respond must be called once, on any goroutine.
	Answer(question []byte, respond func(answer []byte, err error))
	// Load returns the number of open connections, handshakes included, and their limit.
	Load() (connections, limit int)
	ClusterSeenLocal
	ClusterBookLocal
	ClusterForwardLocal
}

// Claim is the request of a member to be the home of a peer.
type Claim struct {
	Peer     string // node ID
	Member   string // for Contest: the member that claims
	Strength actors.Strength
	Framed   bool          // the peer has sent a frame on the connection, not only an ack
	Smaller  bool          // the node with the smaller ID dialled the connection
	Expected bool          // dialled by the member, which accepts only this peer at the address
	Proven   time.Duration // time since the connection was bound; 0: it is not
	Born     time.Duration // time since the dial began, or since the connection was accepted
	Address  string        // remote address of the connection; empty: its refusal shows no conflict of identities
}

// ClaimVerdict is the answer to a claim.
type ClaimVerdict struct {
	Granted bool
	Term    uint64  // granted: of this claim, for Release
	Home    string  // refused: the member that holds the peer; empty: the claim was replaced, or this member leaves
	InUse   bool    // refused: the identity is in use on two hosts
	Tokens  float64 // granted: tokens that the previous home has left in the peer's bucket; negative: unknown
	// Age is the time since the bucket had these tokens.
	Age time.Duration
}

// MemberState is the state of a member as another one knows it.
type MemberState uint8

// The states of a member.
const (
	MemberAlive    MemberState = iota
	MemberDraining             // it leaves, and admits no peer
	MemberLost                 // nothing was heard of it for two seconds, or nothing subscribes to its subjects
)

// String returns "alive", "draining" or "lost".
func (s MemberState) String() string {
	switch s {
	case MemberDraining:
		return "draining"
	case MemberLost:
		return "lost"
	default:
		return "alive"
	}
}

// ClusterMember describes one member.
type ClusterMember struct {
	Name        string
	Address     string // at which it listens for other members; empty: at none
	State       MemberState
	Self        bool
	Connections int           // open connections
	Max         int           // limit of connections
	Heard       time.Duration // since its last message
}

// OthersAlive reports whether one of the members is alive, does not drain and is not this one: it can take peers.
func OthersAlive(members []ClusterMember) bool {
	return slices.ContainsFunc(members, func(m ClusterMember) bool { return !m.Self && m.State == MemberAlive })
}
