package wire

import (
	"slices"
	"strings"
)

// ProtocolVersion is the protocol version that this package implements and announces in handshakes (protocol section
// 3).
const ProtocolVersion = "1.0"

// ReasonNotAuthorized is the reason with which a responder in allowlist mode refuses an unlisted peer (protocol
// section 3).
const ReasonNotAuthorized = "peer not authorized"

// ReasonInvalidHandshake is the reason with which a responder refuses a peer whose handshake is invalid, or that shows
// the responder's own key.
const ReasonInvalidHandshake = "invalid handshake"

// ReasonSessionRequired is the reason with which a responder that requires session/1 refuses a peer that offers no
// session (protocol section 9).
const ReasonSessionRequired = "session required"

// ReasonOperator is the reason with which a responder refuses a peer that its operator has disconnected for a time. It
// is also the reason of the disconnect message.
const ReasonOperator = "disconnected by the operator"

// SupportedVersions returns a new slice of the protocol versions that a handshake can announce, in the order of
// [IncompatibleVersionReason].
func SupportedVersions() []string {
	return []string{ProtocolVersion}
}

// VersionSupported reports whether a peer with version v can be accepted. The comparison is exact: "1" and "1.0 " are
// not supported.
func VersionSupported(v string) bool {
	return slices.Contains(SupportedVersions(), v)
}

// IncompatibleVersionReason returns the reason with which a responder refuses version v (protocol section 3):
// "incompatible protocol version X, supported: [1.0]". X is v, cut to 64 bytes. Both sides log the text, so X is
// quoted if it contains bytes other than printable ASCII.
func IncompatibleVersionReason(v string) string {
	shown := v[:min(len(v), maxQuoted)]
	if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
		shown = quoted(shown)
	}
	return "incompatible protocol version " + shown +
		", supported: [" + strings.Join(SupportedVersions(), " ") + "]"
}
