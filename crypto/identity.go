package crypto

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxNameLength is the longest name of a node, in bytes of UTF-8.
const MaxNameLength = 255

// Errors of roles and names; what a caller gets wraps one of them and says what was given.
var (
	ErrRole = errors.New("role is none of controller, worker, dual")
	ErrName = errors.New("node name is not valid")
)

// NodeRole says what a node does for the applications above the transport
// (protocol section 1). The transport itself treats all roles alike.
type NodeRole string

// The roles of protocol section 1.
const (
	RoleController NodeRole = "controller"
	RoleWorker     NodeRole = "worker"
	RoleDual       NodeRole = "dual"
)

// ParseRole returns the role with the given name: "controller", "worker" or
// "dual", lower case. Anything else is an ErrRole.
func ParseRole(name string) (NodeRole, error) {
	switch role := NodeRole(name); role {
	case RoleController, RoleWorker, RoleDual:
		return role, nil
	}
	return "", fmt.Errorf("%w: %.64q", ErrRole, name)
}

// NodeIdentity is what a node tells about itself (protocol section 1). Its JSON
// keys come in the order of the fields; CreatedAt is RFC 3339. An identity that
// came from a peer proves nothing until ID and PublicKey have been compared
// (ParsePublicKey, PublicKey.NodeID) and the challenge has been answered.
type NodeIdentity struct {
	ID        string    `json:"id"`        // node ID: 32 lower-case hex characters
	Name      string    `json:"name"`      // free text for people, at most MaxNameLength bytes; not unique
	PublicKey string    `json:"publicKey"` // canonical standard base64 of the 32 bytes
	CreatedAt time.Time `json:"createdAt"`
	Role      NodeRole  `json:"role"`
}

// CheckName returns nil if a node may have this name, given by its own
// configuration or by a peer: at most MaxNameLength bytes of UTF-8 without
// control characters. Otherwise the error wraps ErrName and quotes at most 64
// bytes. The empty name is valid: deployed nodes may send it.
func CheckName(name string) error {
	if len(name) > MaxNameLength {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrName, len(name), MaxNameLength)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: %.64q is not UTF-8", ErrName, name)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%w: %.64q contains a control character", ErrName, name)
	}
	return nil
}
