package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// The messages below ask for calls that wait for a peer or a disk. The registry runs them on other goroutines.

// Request asks for a message to a peer and its answer, as Transport.RequestContext does. The answer is Replied.
type Request struct {
	Peer    string        // node ID
	Message *wire.Message // not changed by the sender before the answer
	Timeout time.Duration // 0: DefaultRequestTimeout
}

// Replied answers Request.
type Replied struct {
	ID    string        // of the requested message, to which Reply refers
	Reply *wire.Message // nil if Err is not nil
	Err   error         // an error of Transport.RequestContext, or ErrStopped
}

// Peers asks for every peer that is known or connected. The answer is PeerList.
type Peers struct{}

// PeerList answers Peers.
type PeerList struct {
	Peers []PeerInfo // by node ID
	Err   error      // ErrStopped
}

// StatusReport answers a *Status, whose fields are ignored.
type StatusReport struct {
	Status Status
	Err    error // ErrStopped
}

// Allow asks to add keys to the allowlist, as Transport.Allow does. The answer is Allowed, when the change is on disk.
// The registry carries out Allow, Revoke and SetAuthMode in the order of their arrival.
type Allow struct{ Keys []crypto.PublicKey }

// Allowed answers Allow.
type Allowed struct {
	Keys []crypto.PublicKey // of Allow
	Err  error              // of Transport.Allow
}

// Revoke asks to revoke keys, as Transport.Revoke does. The answer is Revoked, when the change is on disk.
type Revoke struct{ Keys []crypto.PublicKey }

// Revoked answers Revoke.
type Revoked struct {
	Keys []crypto.PublicKey // of Revoke
	Err  error              // of Transport.Revoke
}

// SetAuthMode asks to select the peers that may connect, as Transport.SetAuthMode does. The answer is AuthModeSet, when
// the change is on disk.
type SetAuthMode struct{ Mode AuthMode }

// AuthModeSet answers SetAuthMode.
type AuthModeSet struct {
	Mode AuthMode // of SetAuthMode
	Err  error    // of Transport.SetAuthMode
}

func (*Request) fromPrograms()     {}
func (*Peers) fromPrograms()       {}
func (*Status) fromPrograms()      {}
func (*Allow) fromPrograms()       {}
func (*Revoke) fromPrograms()      {}
func (*SetAuthMode) fromPrograms() {}

// onCall starts the call that a message asks for.
func (r *registry) onCall(message fromPrograms) {
	t := r.transport
	switch msg := message.(type) {
	case *Request:
		r.beside(nil, func(ctx context.Context) any { return t.answerRequest(ctx, msg) })
	case *Peers:
		r.beside(nil, func(ctx context.Context) any {
			list, err := t.Peers(ctx)
			return &PeerList{Peers: list, Err: stoppedBy(ctx, err)}
		})
	case *Status:
		r.beside(nil, func(ctx context.Context) any {
			status, err := t.Status(ctx)
			return &StatusReport{Status: status, Err: stoppedBy(ctx, err)}
		})
	case *Allow:
		r.inTurn(func() any { return &Allowed{Err: t.Allow(msg.Keys...)} })
	case *Revoke:
		r.inTurn(func() any { return &Revoked{Err: t.Revoke(msg.Keys...)} })
	case *SetAuthMode:
		r.inTurn(func() any { return &AuthModeSet{Err: t.SetAuthMode(msg.Mode)} })
	}
}

// beside runs a call on another goroutine and answers the current message with its result. ctx ends with the transport.
// If done is not nil, it is called after the answer.
func (r *registry) beside(done func(), call func(ctx context.Context) any) {
	reply, ctx := r.takeReply(), r.dials
	r.node.Spawn(func() {
		if done != nil {
			defer done()
		}
		answer := call(ctx)
		if reply != nil {
			reply(answer)
		}
	})
}

// inTurn is beside for calls that run one at a time, in order.
func (r *registry) inTurn(call func() any) {
	before, ended := r.callTurn, make(chan struct{})
	r.callTurn = ended
	r.beside(func() { close(ended) }, func(context.Context) any {
		if before != nil {
			<-before
		}
		return call()
	})
}

func (t *Transport) answerRequest(ctx context.Context, msg *Request) *Replied {
	timeout := msg.Timeout
	if timeout <= 0 {
		timeout = DefaultRequestTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := t.RequestContext(limited, msg.Peer, msg.Message)
	return &Replied{Reply: reply, Err: stoppedBy(ctx, err)}
}

// stoppedBy returns ErrStopped for an error of a call that the end of the transport has cancelled.
func stoppedBy(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return ErrStopped
	}
	return err
}

// labelled returns an answer with the fields that tell which message it answers.
func labelled(message, answer any) any {
	switch a := answer.(type) {
	case *Sent:
		if m, ok := message.(*Send); ok && m != nil {
			return &Sent{ID: idOf(m.Message), Err: a.Err}
		}
	case *Broadcasted:
		if m, ok := message.(*Broadcast); ok && m != nil {
			return &Broadcasted{ID: idOf(m.Message), Sent: a.Sent, Failed: a.Failed, Err: a.Err}
		}
	case *Replied:
		if m, ok := message.(*Request); ok && m != nil {
			return &Replied{ID: idOf(m.Message), Reply: a.Reply, Err: a.Err}
		}
	case *Connected:
		if m, ok := message.(*Connect); ok && m != nil {
			return &Connected{Address: m.Address, Connection: a.Connection, Err: a.Err}
		}
	case *Disconnected:
		if m, ok := message.(*Disconnect); ok && m != nil {
			return &Disconnected{Peer: m.Peer, Err: a.Err}
		}
	case *ConnectionEnding:
		if m, ok := message.(*DisconnectConnection); ok && m != nil {
			return &ConnectionEnding{Number: m.Connection, Connection: a.Connection, Err: a.Err}
		}
	default:
		return labelledByKeys(message, answer)
	}
	return answer
}

// labelledByKeys is labelled for the answers about subscriptions, keys and modes, and for Failed.
func labelledByKeys(message, answer any) any {
	switch a := answer.(type) {
	case *Subscribed:
		if m, ok := message.(*Subscribe); ok && m != nil {
			return &Subscribed{PID: m.PID, Connected: a.Connected, Err: a.Err}
		}
	case *Unsubscribed:
		if m, ok := message.(*Unsubscribe); ok && m != nil {
			return &Unsubscribed{PID: m.PID, Err: a.Err}
		}
	case *Allowed:
		if m, ok := message.(*Allow); ok && m != nil {
			return &Allowed{Keys: m.Keys, Err: a.Err}
		}
	case *Revoked:
		if m, ok := message.(*Revoke); ok && m != nil {
			return &Revoked{Keys: m.Keys, Err: a.Err}
		}
	case *AuthModeSet:
		if m, ok := message.(*SetAuthMode); ok && m != nil {
			return &AuthModeSet{Mode: m.Mode, Err: a.Err}
		}
	case *Failed:
		return &Failed{Message: message, Err: a.Err}
	}
	return answer
}

func idOf(msg *wire.Message) string {
	if msg == nil {
		return ""
	}
	return msg.ID
}
