package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Code classifies an Error.
type Code string

// The codes. Each has an HTTP status; commands map it to their exit status.
const (
	CodeUsage        Code = "usage"         // the request is invalid
	CodeUnknownPath  Code = "unknown_path"  // the API has no such path
	CodeWrongMethod  Code = "wrong_method"  // the path has other methods, see the header Allow
	CodeUnknownPeer  Code = "unknown_peer"  // no known peer has this ID or name
	CodeAmbiguous    Code = "ambiguous"     // several peers have this name or prefix
	CodeClaimedName  Code = "claimed_name"  // only a name that peers claim, where a name is refused
	CodeNotConnected Code = "not_connected" // the peer is known but not connected, or its connection just ended
	CodeRefused      Code = "refused"       // the peer is unreachable or refused the connection
	CodeTimeout      Code = "timeout"       // no answer within the timeout
	CodeTooLarge     Code = "too_large"     // larger than the maximum message size
	CodeConflict     Code = "conflict"      // another program has it already
	CodeQueueFull    Code = "queue_full"    // the peer reads more slowly than this node sends
	CodeRemote       Code = "remote"        // the peer answered a request with an error
	CodeBusy         Code = "busy"          // too many requests or streams at once
	CodeStopping     Code = "stopping"      // the node is stopping, or drains
	CodeFailed       Code = "failed"        // any other failure
)

// Codes returns all codes, in the order of the documentation.
func Codes() []Code {
	return []Code{
		CodeUsage, CodeAmbiguous, CodeClaimedName, CodeUnknownPath, CodeUnknownPeer, CodeWrongMethod, CodeNotConnected,
		CodeRefused, CodeConflict, CodeTooLarge, CodeQueueFull, CodeFailed, CodeRemote, CodeBusy, CodeStopping, CodeTimeout,
	}
}

// Status returns the HTTP status of a code.
func (c Code) Status() int {
	switch c {
	case CodeUsage, CodeAmbiguous, CodeClaimedName:
		return http.StatusBadRequest
	case CodeUnknownPath, CodeUnknownPeer:
		return http.StatusNotFound
	case CodeWrongMethod:
		return http.StatusMethodNotAllowed
	case CodeNotConnected, CodeRefused, CodeConflict:
		return http.StatusConflict
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeQueueFull:
		return http.StatusTooManyRequests
	case CodeRemote:
		return http.StatusBadGateway
	case CodeBusy, CodeStopping:
		return http.StatusServiceUnavailable
	case CodeTimeout: // not 408, after which HTTP clients may repeat a request on their own
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// Error is a failure that the node reports as JSON.
type Error struct {
	Code    Code   `json:"code"`             // for programs
	Message string `json:"message"`          // for people: what failed and why
	Advice  string `json:"advice,omitempty"` // for people: the remedy

	RemoteCode wire.ErrorCode `json:"remoteCode,omitempty"` // with code remote: the code of the peer's answer
}

func (e *Error) Error() string { return e.Message }

// Full returns the message followed by the advice.
func (e *Error) Full() string {
	if e.Advice == "" {
		return e.Message
	}
	return e.Message + ": " + e.Advice
}

func usage(format string, args ...any) *Error {
	return &Error{Code: CodeUsage, Message: fmt.Sprintf(format, args...)}
}

// explain converts an error of the node to an Error with its code. It drops the peer of a PeerError, which the command
// names itself.
func explain(err error) *Error {
	if known := (*Error)(nil); errors.As(err, &known) {
		return known
	}
	if about := (*supervisor.PeerError)(nil); errors.As(err, &about) {
		err = about.Err
	}
	if remote := (*wire.RemoteError)(nil); errors.As(err, &remote) {
		return &Error{Code: CodeRemote, RemoteCode: remote.Code, Message: remote.Error()}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeTimeout, Message: "no answer in time"}
	case errors.Is(err, context.Canceled), errors.Is(err, supervisor.ErrStopped), errors.Is(err, feed.ErrClosed):
		return &Error{Code: CodeStopping, Message: feed.ErrClosed.Error()}
	case errors.Is(err, supervisor.ErrDraining):
		return &Error{Code: CodeStopping, Message: err.Error(), Advice: drainingAdvice}
	case errors.Is(err, supervisor.ErrNoRoom):
		return &Error{
			Code: CodeFailed, Advice: noRoomAdvice, Message: "no free connection: --max-conns of this node is reached",
		}
	case errors.Is(err, feed.ErrHandled):
		return &Error{Code: CodeConflict, Message: err.Error(), Advice: handledAdvice}
	case errors.Is(err, feed.ErrTooMany):
		return &Error{Code: CodeBusy, Message: fmt.Sprintf("%v: %d", err, feed.MaxStreams), Advice: streamsAdvice}
	}
	return &Error{Code: codeOf(err), Message: output.ErrorText(err)}
}

// codeOf returns the code of an error of the supervisor package.
func codeOf(err error) Code {
	for _, kind := range []struct {
		is   error
		code Code
	}{
		{supervisor.ErrUnknownPeer, CodeUnknownPeer},
		{supervisor.ErrAmbiguousPeer, CodeAmbiguous},
		{supervisor.ErrClaimedName, CodeClaimedName},
		{supervisor.ErrAlias, CodeUsage},
		{supervisor.ErrAliasTaken, CodeUsage},
		{supervisor.ErrNotConnected, CodeNotConnected},
		{supervisor.ErrRefused, CodeRefused},
		{supervisor.ErrRevoked, CodeRefused},
		{supervisor.ErrSuspended, CodeRefused},
		{supervisor.ErrSessionRequired, CodeRefused},
		{supervisor.ErrInvalidMessage, CodeUsage},
		{supervisor.ErrTooLarge, CodeTooLarge},
		{supervisor.ErrQueueFull, CodeQueueFull},
		{supervisor.ErrWriteTimeout, CodeTimeout},
		{supervisor.ErrPaced, CodeTimeout},
		{supervisor.ErrHandshakeTimeout, CodeTimeout},
		{supervisor.ErrClosed, CodeNotConnected},
	} {
		if errors.Is(err, kind.is) {
			return kind.code
		}
	}
	return CodeFailed
}
