package supervisor

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
)

// Errors of sending and connecting, for errors.Is. Each is wrapped by an error that names the peer.
var (
	ErrNotConnected  = errors.New("the peer is not connected")
	ErrUnknownPeer   = errors.New("no peer of that name or ID is known") // the error is an *UnknownPeerError
	ErrAmbiguousPeer = errors.New("more than one peer fits")             // the error is an *AmbiguousPeerError
	ErrStopped       = errors.New("the transport is not running")
	ErrUnverified    = error(unverifiedError{}) // also ErrNotConnected
	ErrNoRoom        = errors.New("no free connection: MaxConns is reached")
	ErrRevoked       = errors.New("the peer is revoked here")
	ErrDraining      = errors.New("this process drains: it neither dials nor admits peers")

	// ErrNotAllowed means that this node is in allowlist mode, and neither is the peer's key on the allowlist nor its
	// address pinned. The error is a *NotAllowedError.
	ErrNotAllowed = errors.New("peer not allowed")
	// ErrOwnAddress means that a dial has reached this node itself.
	ErrOwnAddress = errors.New("this is this node's own address")

	errNilSubscriber = errors.New("the PID of the subscriber is nil")
	errNotPointer    = errors.New("the message is a value: send a pointer to it")
	errNilPointer    = errors.New("the message is a nil pointer")
	errInternal      = errors.New("the registry panicked on this message: see the log")
	errUnknown       = errors.New("the registry does not handle messages of this type")
	errNilPeer       = errors.New("connect: the peer is nil: give one with an Address")

	ErrTooLarge     = actors.ErrTooLarge
	ErrQueueFull    = actors.ErrQueueFull
	ErrClosed       = actors.ErrClosed
	ErrWriteTimeout = actors.ErrWriteTimeout
	ErrPaced        = actors.ErrPaced
	ErrRefused      = actors.ErrRefused

	// ErrHandshake means that the peer's part of the handshake was invalid or missing.
	ErrHandshake = actors.ErrHandshake
	// ErrHandshakeTimeout means that the handshake exceeded TransportConfig.HandshakeTimeout.
	ErrHandshakeTimeout = actors.ErrHandshakeTimeout
	// ErrWrongIdentity means that the node at the address has another identity than expected.
	ErrWrongIdentity = actors.ErrWrongIdentity
	// ErrLaterDialect means that the peer speaks the later, incompatible dialect under the same version "1.0".
	ErrLaterDialect = actors.ErrLaterDialect
)

// unverifiedError is ErrUnverified. An unverified peer has no route, so the error is also ErrNotConnected.
type unverifiedError struct{}

func (unverifiedError) Error() string { return "the peer is connected but has not proven its key yet" }

// Is makes errors.Is(ErrUnverified, ErrNotConnected) true.
func (unverifiedError) Is(target error) bool { return target == ErrNotConnected }

// noConnectionError is ErrNotConnected with the number of the missing connection.
type noConnectionError uint64

func (e noConnectionError) Error() string { return fmt.Sprintf("there is no connection %d", uint64(e)) }

// Is makes errors.Is(err, ErrNotConnected) true.
func (noConnectionError) Is(target error) bool { return target == ErrNotConnected }

// PeerError adds the peer to an error.
type PeerError struct {
	Peer string // node ID, or an address
	Err  error
}

func (e *PeerError) Error() string { return fmt.Sprintf("peer %s: %v", e.Peer, e.Err) }

// Unwrap returns the cause.
func (e *PeerError) Unwrap() error { return e.Err }

func peerError(peer string, err error) error {
	if err == nil {
		return nil
	}
	return &PeerError{Peer: peer, Err: err}
}

// NotAllowedError is ErrNotAllowed with the peer's key.
type NotAllowedError struct {
	Key crypto.PublicKey
}

func (e *NotAllowedError) Error() string {
	return fmt.Sprintf("%v: its key is not on this node's allowlist", ErrNotAllowed)
}

// Unwrap returns ErrNotAllowed.
func (e *NotAllowedError) Unwrap() error { return ErrNotAllowed }

// Reasons of a disconnect message: another connection of the same identity stays open.
const (
	reasonDuplicate     = actors.ReasonDuplicate
	reasonIdentityInUse = actors.ReasonIdentityInUse
)

// ErrOtherMember means that another member of the cluster is connected to the peer, so that this one does not connect
// to it. The error is an *OtherMemberError.
var ErrOtherMember = errors.New("another member of the cluster is connected to the peer")

// OtherMemberError is ErrOtherMember with the name of the member; empty: unknown.
type OtherMemberError struct{ Member string }

func (e *OtherMemberError) Error() string {
	return fmt.Sprintf("%v: %s", ErrOtherMember, cmp.Or(e.Member, "unknown"))
}

// Unwrap returns ErrOtherMember.
func (e *OtherMemberError) Unwrap() error { return ErrOtherMember }

// SendFailure is the error of one peer in a broadcast.
type SendFailure struct {
	Peer string
	Err  error
}

// BroadcastError lists the peers that missed a broadcast.
type BroadcastError struct{ Failed []SendFailure }

func (e *BroadcastError) Error() string {
	if len(e.Failed) == 1 {
		return fmt.Sprintf("broadcast: peer %s missed it: %v", e.Failed[0].Peer, e.Failed[0].Err)
	}
	return fmt.Sprintf("broadcast: %d peers missed it, the first %s: %v", len(e.Failed), e.Failed[0].Peer, e.Failed[0].Err)
}

// Unwrap returns the failures, each naming its peer.
func (e *BroadcastError) Unwrap() []error {
	all := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		all[i] = peerError(f.Peer, f.Err)
	}
	return all
}
