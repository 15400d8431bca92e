package wire

import (
	"slices"
	"strings"
)

// ProtocolVersion is the version that this package speaks and announces in its
// handshake (protocol section 3).
const ProtocolVersion = "1.0"

// ReasonNotAuthorized is the reason of a responder in allowlist mode that does
// not know the peer (protocol section 3).
const ReasonNotAuthorized = "peer not authorized"

// SupportedVersions returns the protocol versions that a handshake may name,
// in the order in which [IncompatibleVersionReason] lists them. The slice is
// the caller's own.
func SupportedVersions() []string {
	return []string{ProtocolVersion}
}

// VersionSupported reports whether a peer that speaks version v can be
// accepted. The comparison is exact: "1" and "1.0 " are other versions.
func VersionSupported(v string) bool {
	return slices.Contains(SupportedVersions(), v)
}

// IncompatibleVersionReason is the reason of a responder that does not speak
// version v (protocol section 3): "incompatible protocol version X, supported:
// [1.0]". X is v as it came, cut to 64 bytes; since the text ends up in logs on
// both sides, a v with anything but printable ASCII in those bytes is quoted.
func IncompatibleVersionReason(v string) string {
	shown := v[:min(len(v), maxQuoted)]
	if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
		shown = quoted(shown)
	}
	return "incompatible protocol version " + shown +
		", supported: [" + strings.Join(SupportedVersions(), " ") + "]"
}
