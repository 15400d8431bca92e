package wire

import "strconv"

// DisconnectCode is the reason for which a node closes a connection (protocol section 5), sent in a
// [DisconnectPayload]. It is not a WebSocket close status, although the numbers overlap.
type DisconnectCode int

// The disconnect codes of protocol section 5.
const (
	DisconnectNormal      DisconnectCode = 1000 // the node no longer needs the connection
	DisconnectGoingAway   DisconnectCode = 1001 // the node leaves, or keeps another connection to the peer
	DisconnectProtocolErr DisconnectCode = 1002 // the peer violated the protocol
	DisconnectTimeout     DisconnectCode = 1003 // no frame for PingInterval + PongTimeout
	DisconnectShutdown    DisconnectCode = 1004 // the process exits
)

// Valid reports whether c is one of the codes of protocol section 5. Received codes can be any number.
func (c DisconnectCode) Valid() bool {
	return c >= DisconnectNormal && c <= DisconnectShutdown
}

// String returns the name of c in protocol section 5, or "disconnect code N".
func (c DisconnectCode) String() string {
	switch c {
	case DisconnectNormal:
		return "normal"
	case DisconnectGoingAway:
		return "going away"
	case DisconnectProtocolErr:
		return "protocol error"
	case DisconnectTimeout:
		return "idle timeout"
	case DisconnectShutdown:
		return "server shutdown"
	}
	return "disconnect code " + strconv.Itoa(int(c))
}

// ErrorCode is the kind of failure that an [ErrorPayload] reports (protocol section 5).
type ErrorCode int

// The error codes of protocol section 5.
const (
	ErrCodeUnknown         ErrorCode = 1000
	ErrCodeInvalidMessage  ErrorCode = 1001
	ErrCodeUnauthorized    ErrorCode = 1002
	ErrCodeNotFound        ErrorCode = 1003
	ErrCodeOperationFailed ErrorCode = 1004
	ErrCodeTimeout         ErrorCode = 1005
)

// String returns the name of c in protocol section 5, or "error code N".
func (c ErrorCode) String() string {
	switch c {
	case ErrCodeUnknown:
		return "unknown"
	case ErrCodeInvalidMessage:
		return "invalid message"
	case ErrCodeUnauthorized:
		return "unauthorized"
	case ErrCodeNotFound:
		return "not found"
	case ErrCodeOperationFailed:
		return "operation failed"
	case ErrCodeTimeout:
		return "timeout"
	}
	return "error code " + strconv.Itoa(int(c))
}
