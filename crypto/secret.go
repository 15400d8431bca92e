package crypto

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// SharedSecret is the secret of a pair of nodes: SHA-256 of their X25519 result, 32 bytes (protocol section 1). It
// prints, logs and marshals as "[redacted]".
type SharedSecret [KeySize]byte

// String returns "[redacted]".
func (SharedSecret) String() string { return redacted }

// GoString returns "[redacted]".
func (SharedSecret) GoString() string { return redacted }

// LogValue returns the text "[redacted]".
func (SharedSecret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", so that JSON and other text encoders do not reveal the secret.
func (SharedSecret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format writes "[redacted]" for every verb: verbs such as %d do not call String.
func (SharedSecret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// Format writes "crypto.NodeManager(ID)" with the node ID for every verb. Without it verbs such as %s would print the
// private key inside m.
func (m *NodeManager) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "crypto.NodeManager("+m.Identity().ID+")")
}
