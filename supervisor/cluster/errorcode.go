package cluster

import (
	"context"
	"errors"
	"strings"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// code is the result of a forwarded message. The values are part of the exchange between members and never change.
type code uint8

const (
	codeOK    code = 0
	codePart  code = 1 // a part of a result: more follow
	codeMoved code = 2 // the member does not hold the peer, and has sent nothing
	codeOther code = 3 // an error without a code

	codeUnconfirmed code = 4
	codeNotAccepted code = 5
	firstSentinel   code = 8
)

// sentinels are the errors that keep their identity between members, by code from firstSentinel. New ones are appended.
// An error is coded by the first one that it is.
var sentinels = [...]error{
	supervisor.ErrUnverified, supervisor.ErrNotConnected, supervisor.ErrInvalidMessage, supervisor.ErrTooLarge,
	supervisor.ErrQueueFull, supervisor.ErrWriteTimeout, supervisor.ErrPaced, supervisor.ErrClosed,
	supervisor.ErrStopped, context.DeadlineExceeded, context.Canceled,
}

// encodeError returns the code and the text of an error. The text is empty if it is that of the code.
func encodeError(err error) (code, string) {
	if err = withoutPeer(err); err == nil {
		return codeOK, ""
	}
	var unconfirmed *supervisor.UnconfirmedError
	if errors.As(err, &unconfirmed) {
		return codeUnconfirmed, clip(unconfirmed.Cause.Error())
	}
	var refused *supervisor.NotAcceptedError
	if errors.As(err, &refused) {
		return codeNotAccepted, clip(string(refused.Receipt))
	}
	for i, sentinel := range sentinels {
		switch {
		case err == sentinel:
			return firstSentinel + code(i), ""
		case errors.Is(err, sentinel):
			return firstSentinel + code(i), clip(err.Error())
		}
	}
	return codeOther, clip(err.Error())
}

// withoutPeer returns an error without the name of the peer, which the caller adds.
func withoutPeer(err error) error {
	var peer *supervisor.PeerError
	for errors.As(err, &peer) && peer.Err != nil {
		err = peer.Err
	}
	return err
}

// decodeError returns the error with a code and a text. Codes of a later member are errors without identity.
func decodeError(c code, text string) error {
	switch {
	case c == codeOK:
		return nil
	case c == codeMoved:
		return supervisor.ErrNotConnected
	case c == codeUnconfirmed:
		return &supervisor.UnconfirmedError{Cause: errors.New(text)}
	case c == codeNotAccepted:
		return &supervisor.NotAcceptedError{Receipt: wire.Receipt(text)}
	case c < firstSentinel || int(c-firstSentinel) >= len(sentinels):
		return &remoteFault{text: text}
	case text == "":
		return sentinels[c-firstSentinel]
	default:
		return &remoteFault{text: text, is: sentinels[c-firstSentinel]}
	}
}

// remoteFault is an error that happened at another member.
type remoteFault struct {
	text string
	is   error // nil: none that is known here
}

func (e *remoteFault) Error() string { return e.text }

// Unwrap returns the error that it is, or nil.
func (e *remoteFault) Unwrap() error { return e.is }

func clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxText)], "") }
