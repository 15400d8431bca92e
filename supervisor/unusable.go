package supervisor

import (
	"runtime"

	"github.com/asynkron/protoactor-go/actor"
)

// unusable returns the error answer to a message that the registry cannot process: a nil pointer, or a message passed
// by value. It returns nil for every other message.
func unusable(message any) any {
	switch message.(type) {
	case Send, Broadcast, Subscribe, Unsubscribe, Connect, Disconnect, DisconnectConnection,
		Request, Peers, Status, Allow, Revoke, SetAuthMode:
		return failed(message, errNotPointer)
	}
	if isNil(message) {
		return failed(message, errNilPointer)
	}
	return nil
}

// failed returns the answer type of a message, with err in it.
func failed(message any, err error) any {
	switch message.(type) {
	case Send, *Send:
		return &Sent{Err: err}
	case Broadcast, *Broadcast:
		return &Broadcasted{Err: err}
	case Subscribe, *Subscribe:
		return &Subscribed{Err: err}
	case Unsubscribe, *Unsubscribe:
		return &Unsubscribed{Err: err}
	case Connect, *Connect:
		return &Connected{Err: err}
	case Disconnect, *Disconnect:
		return &Disconnected{Err: err}
	case DisconnectConnection, *DisconnectConnection:
		return &ConnectionEnding{Err: err}
	case Request, *Request:
		return &Replied{Err: err}
	case Peers, *Peers:
		return &PeerList{Err: err}
	case Status, *Status:
		return &StatusReport{Err: err}
	case Allow, *Allow:
		return &Allowed{Err: err}
	case Revoke, *Revoke:
		return &Revoked{Err: err}
	case SetAuthMode, *SetAuthMode:
		return &AuthModeSet{Err: err}
	default:
		return &Failed{Err: err}
	}
}

// leftovers answers the messages that were in the registry's mailbox when it stopped. It is a middleware of the
// mailbox.
type leftovers struct {
	system *actor.ActorSystem
	ended  <-chan struct{} // closed when the registry has stopped
}

// MessageReceived implements actor.MailboxMiddleware. It is called after each message, also after those that the
// stopped registry does not get.
func (l *leftovers) MessageReceived(message any) {
	select {
	case <-l.ended:
	default:
		return
	}
	if _, inner, sender := actor.UnwrapEnvelope(message); sender != nil {
		l.system.Root.Send(sender, labelled(inner, failed(inner, ErrStopped)))
	}
}

// MailboxStarted implements actor.MailboxMiddleware.
func (*leftovers) MailboxStarted() {}

// MessagePosted implements actor.MailboxMiddleware.
func (*leftovers) MessagePosted(any) {}

// MailboxEmpty implements actor.MailboxMiddleware.
func (*leftovers) MailboxEmpty() {}

// stoppedRegistry replaces the actor of a stopped registry and answers every request with ErrStopped.
type stoppedRegistry struct{ system *actor.ActorSystem }

// SendUserMessage implements actor.Process.
func (s *stoppedRegistry) SendUserMessage(_ *actor.PID, message any) {
	_, inner, sender := actor.UnwrapEnvelope(message)
	if sender != nil {
		s.system.Root.Send(sender, labelled(inner, failed(inner, ErrStopped)))
	}
}

// SendSystemMessage implements actor.Process. It tells a watching actor that the registry has terminated.
func (s *stoppedRegistry) SendSystemMessage(pid *actor.PID, message any) {
	s.system.DeadLetter.SendSystemMessage(pid, message)
}

// Stop implements actor.Process.
func (s *stoppedRegistry) Stop(*actor.PID) {}

// answerStopped registers a stoppedRegistry in the program's actor system until t is garbage collected. The registry
// calls it when it stops.
func (t *Transport) answerStopped(id string) {
	processes := t.opts.system.ProcessRegistry
	if _, added := processes.Add(&stoppedRegistry{t.opts.system}, id); added {
		runtime.AddCleanup(t, func(id string) { processes.Remove(&actor.PID{Id: id}) }, id)
	}
}
