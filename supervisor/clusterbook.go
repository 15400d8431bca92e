package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/Snider/go-p2p/wire"
)

// Names of package peerbook, for the cluster.
type (
	// BookChange is a change of the peer book by an operator.
	BookChange = peerbook.Change
	// BookRecord is the last change of one subject.
	BookRecord = peerbook.Record
	// BookRecordKind is the type of a record's subject.
	BookRecordKind = peerbook.RecordKind
)

// ClusterBook is the part of Cluster that brings changes of the peer book to all members. Safe for concurrent use.
type ClusterBook interface {
	// Apply carries out a change here and then at every other member. It returns when the change is on disk at all
	// members that can be reached, after two seconds at the latest. The errors are those of ClusterBookLocal.EnterChange,
	// after which nothing has changed, and an *MembersError.
	Apply(ctx context.Context, change BookChange) error
}

// ClusterBookLocal is the part of ClusterLocal that gives access to this member's peer book. EnterChange and
// MergeRecords wait for the disk.
type ClusterBookLocal interface {
	// EnterChange carries out a change and returns its records, stamped with a time or later. See peerbook.Book.Enter.
	EnterChange(change BookChange, at time.Time) ([]BookRecord, error)
	// MergeRecords enters the records of another member that are later than those here. See peerbook.Book.Merge.
	MergeRecords(list []BookRecord) error
	// RecordDigest returns a sum of all records, RecordSums one for each shelf, and Records a page of a shelf. See
	// peerbook.Book.
	RecordDigest() uint64
	RecordSums() [peerbook.RecordShelves]uint64
	Records(shelf byte, after string, n int) []BookRecord
}

// ErrMembers means that a change is in force at this member, but not at all others. The error is an
// *MembersError.
var ErrMembers = errors.New("the change is in force here, but other members have not confirmed it")

// MembersError is ErrMembers with the members that have not confirmed a change. Those that cannot be
// reached take it over before they admit a peer, when they can be reached again.
type MembersError struct {
	Members []MemberFault // one or more, by name
}

// MemberFault is a member with the cause of its silence or refusal.
type MemberFault struct {
	Member string
	Err    error
}

// NewMembersError returns the error about these members.
func NewMembersError(members []MemberFault) *MembersError {
	slices.SortFunc(members, func(a, b MemberFault) int { return cmp.Compare(a.Member, b.Member) })
	return &MembersError{Members: members}
}

// Error lists the members.
func (e *MembersError) Error() string {
	texts := make([]string, 0, len(e.Members))
	for _, m := range e.Members {
		texts = append(texts, fmt.Sprintf("%s (%v)", m.Member, m.Err))
	}
	return ErrMembers.Error() + ": " + strings.Join(texts, ", ")
}

// Unwrap returns ErrMembers.
func (e *MembersError) Unwrap() error { return ErrMembers }

// changeBook carries out a change by an operator, at all members of a cluster.
func (t *Transport) changeBook(ctx context.Context, change BookChange) error {
	if t.opts.cluster != nil && t.PID() != nil {
		return t.opts.cluster.Apply(ctx, change)
	}
	_, err := t.book.Enter(change, t.node.Clock())
	return t.changeAuth(change, err)
}

// EnterChange implements ClusterLocal.
func (l clusterLocal) EnterChange(change BookChange, at time.Time) ([]BookRecord, error) {
	records, err := l.t.book.Enter(change, at)
	return records, l.t.changeAuth(change, err)
}

// MergeRecords implements ClusterLocal. Peers that may no longer be connected are disconnected.
func (l clusterLocal) MergeRecords(list []BookRecord) error {
	entered, err := l.t.book.Merge(list, l.t.node.Clock())
	if entered > 0 {
		l.t.tell(&authChanged{})
		l.t.tell(&recordsMerged{list})
	}
	if slices.ContainsFunc(list, func(r BookRecord) bool { return r.Kind == peerbook.RecordForget }) {
		err = cmp.Or(err, l.t.book.Sync())
	}
	return err
}

// RecordDigest implements ClusterLocal.
func (l clusterLocal) RecordDigest() uint64 { return l.t.book.RecordDigest() }

// RecordSums implements ClusterLocal.
func (l clusterLocal) RecordSums() [peerbook.RecordShelves]uint64 { return l.t.book.RecordSums() }

// Records implements ClusterLocal.
func (l clusterLocal) Records(shelf byte, after string, n int) []BookRecord {
	return l.t.book.Records(shelf, after, n)
}

// recordsMerged reports that the book has taken over records of another member.
type recordsMerged struct{ list []BookRecord }

func (*recordsMerged) fromTransport() {}

// onRecordsMerged disconnects the peers that another member refuses until a time, and stops redialling those that it
// has forgotten.
func (r *registry) onRecordsMerged(ctx actor.Context, msg *recordsMerged) {
	for _, record := range msg.list {
		if record.Kind == peerbook.RecordSuspend && r.suspended(record.Subject) {
			_ = r.disconnect(ctx, &Disconnect{
				Peer: record.Subject, Code: wire.DisconnectNormal, Reason: wire.ReasonOperator, suspended: true,
			})
		}
		if _, known := r.book.Get(record.Subject); record.Kind == peerbook.RecordForget && !known {
			r.releaseTargets(ctx, record.Subject)
		}
	}
}
