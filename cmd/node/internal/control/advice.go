package control

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/cmd/node/internal/oserror"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

const (
	drainingAdvice = "connect at another member: `node members` lists them"

	noRoomAdvice  = "raise it, or disconnect a peer with `node disconnect`"
	handledAdvice = "end the other `node handle`, or handle another type"
	streamsAdvice = "close one of them"
	pathAdvice    = "GET /v1/openapi.json describes the paths"
	sizeAdvice    = "send less, or raise --max-message-size on both nodes"
)

// TooLarge returns the error for a message that exceeds limit bytes when sealed.
func TooLarge(limit int64) *Error {
	return &Error{
		Code: CodeTooLarge, Advice: sizeAdvice,
		Message: fmt.Sprintf("%v: sealed, it has more than %s", supervisor.ErrTooLarge, settings.FormatBytes(limit)),
	}
}

// sized replaces ErrTooLarge by an error that states the limit.
func (h *Handler) sized(err error) error {
	if errors.Is(err, supervisor.ErrTooLarge) {
		return TooLarge(h.maxBody.Load() - bodySlack)
	}
	return err
}

// DialAdvice returns the remedy for a dial to address that failed with err, or "" if err needs none.
func DialAdvice(address string, err error) string {
	var (
		answered  *socket.RefusedError
		authority x509.UnknownAuthorityError
		other     x509.HostnameError
		plain     tls.RecordHeaderError
		lookup    *net.DNSError
	)
	switch {
	case errors.As(err, &answered):
		return answerAdvice(address, answered.Status)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &plain):
		return "the peer speaks no TLS: try ws://"
	case errors.As(err, &authority):
		return "give its CA to this node with --tls-ca"
	case errors.As(err, &other):
		return "dial the peer by a name in its certificate"
	case errors.As(err, &lookup):
		return "check the name in the address"
	case oserror.Refused(err):
		return "check the address, and whether the peer runs"
	case errors.Is(err, supervisor.ErrWrongIdentity):
		return "check the address, and the node ID that is expected there"
	case errors.Is(err, supervisor.ErrRefused) && strings.Contains(err.Error(), wire.ReasonNotAuthorized):
		return "`node allow KEY` there permits this node, `node id` here prints KEY"
	case errors.Is(err, supervisor.ErrRefused) && strings.Contains(err.Error(), wire.ReasonOperator):
		return "its operator refuses this node for a time: wait, or `node allow KEY` there ends that, `node id` here " +
			"prints KEY"
	case errors.Is(err, supervisor.ErrRefused) && strings.Contains(err.Error(), wire.ReasonInvalidHandshake):
		return "check that the address is neither that of another member of this node, nor of a node with a copy of its key"
	case errors.Is(err, supervisor.ErrSessionRequired):
		return "switch on its sessions (--session pin there), upgrade it, or allow SMSG with --session pin here"
	case errors.Is(err, supervisor.ErrRefused) && strings.Contains(err.Error(), wire.ReasonSessionRequired):
		return "switch on this node's sessions (--session pin), or upgrade it"
	case errors.Is(err, supervisor.ErrNotAllowed):
		return "or pin its node ID with --peer ADDR#ID"
	case errors.Is(err, supervisor.ErrSuspended):
		return "`node allow KEY` on this node ends that, `node id` there prints KEY"
	case errors.Is(err, supervisor.ErrRevoked):
		return "`node allow KEY` on this node lifts that"
	case errors.Is(err, supervisor.ErrOwnAddress):
		return "give the address of another node"
	case errors.Is(err, supervisor.ErrOtherMember):
		return "each member sends to the peer over that connection; `node disconnect PEER` ends it"
	case errors.Is(err, supervisor.ErrLaterDialect):
		return "only nodes that speak the same dialect can connect: install a release that both sides speak"
	case errors.Is(err, supervisor.ErrHandshakeTimeout), errors.Is(err, context.DeadlineExceeded):
		return "check whether it is a node that listens there, or try again later"
	}
	return ""
}

// answerAdvice returns the remedy for an HTTP status in place of a WebSocket upgrade.
func answerAdvice(address string, status int) string {
	switch {
	case status == http.StatusServiceUnavailable:
		return "try again later"
	case status == http.StatusBadRequest && !strings.HasPrefix(address, "wss://"):
		return "the peer may speak TLS: try wss://"
	case status == http.StatusNotFound:
		return "check the path: it must be the peer's --ws-path"
	}
	return "check whether it is a node that listens there"
}

// noReplyAdvice is the remedy for a request without a reply.
const noReplyAdvice = "see with `node peers` whether the peer is alive, and whether a program there answers messages " +
	"of this type, such as `node handle`"

// Remedy returns the remedy for an error of a send, or "".
func Remedy(err error) string { return Advice(codeOf(err)) }

// Advice returns the remedy for errors of a code that have none of their own, or "".
func Advice(code Code) string {
	switch code {
	case CodeNotConnected:
		return "`node peers` shows its state and the last error, `node connect ADDR` dials"
	case CodeRefused:
		return "check the address, and whether the peer runs and allows this node's key (`node id`)"
	case CodeTimeout:
		return "try again, or see with `node peers` whether the peer is alive"
	case CodeClaimedName:
		return "give the key, the node ID or an alias, see `node alias`"
	case CodeQueueFull:
		return "the peer reads too slowly, or its rate limit is too low for so many messages: try again later"
	default:
		return ""
	}
}
