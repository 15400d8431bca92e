package crypto

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// SharedSecret is what two nodes both know and nobody else does: SHA-256 of
// their X25519 result, 32 bytes (protocol section 1). However it is printed,
// logged or marshalled it reads "[redacted]".
type SharedSecret [KeySize]byte

// String returns "[redacted]".
func (SharedSecret) String() string { return redacted }

// GoString returns "[redacted]".
func (SharedSecret) GoString() string { return redacted }

// LogValue returns the text "[redacted]".
func (SharedSecret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", so that neither JSON nor any other encoder of text shows the secret.
func (SharedSecret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format writes "[redacted]" for every verb: String alone would leave %d and the like open.
func (SharedSecret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// Format writes "crypto.NodeManager" and the node ID: some verbs, such as %s of
// a pointer inside it, would otherwise print the private key.
func (m *NodeManager) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "crypto.NodeManager("+m.Identity().ID+")")
}
