package crypto

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxNameLength is the maximum length of a node name, in bytes of UTF-8.
const MaxNameLength = 255

// Errors of roles and names. Returned errors wrap one of them and quote the value.
var (
	ErrRole = errors.New("role is none of controller, worker, dual")
	ErrName = errors.New("node name is not valid")
)

// NodeRole is the role of a node for the applications above the transport (protocol section 1). The transport treats
// all roles alike.
type NodeRole string

// The roles of protocol section 1.
const (
	RoleController NodeRole = "controller"
	RoleWorker     NodeRole = "worker"
	RoleDual       NodeRole = "dual"
)

// ParseRole returns the role with the given name: "controller", "worker" or "dual", in lower case. Other names are an
// ErrRole.
func ParseRole(name string) (NodeRole, error) {
	switch role := NodeRole(name); role {
	case RoleController, RoleWorker, RoleDual:
		return role, nil
	}
	return "", fmt.Errorf("%w: %.64q", ErrRole, name)
}

// NodeIdentity is the public identity of a node (protocol section 1). Its JSON keys are in the order of the fields;
// CreatedAt is RFC 3339. The identity of a peer is unverified until ID matches PublicKey (ParsePublicKey,
// PublicKey.NodeID) and the peer has answered the challenge.
type NodeIdentity struct {
	ID        string    `json:"id"`        // node ID: 32 lower-case hex characters
	Name      string    `json:"name"`      // text for display, at most MaxNameLength bytes; not unique
	PublicKey string    `json:"publicKey"` // canonical standard base64 of the 32 bytes
	CreatedAt time.Time `json:"createdAt"`
	Role      NodeRole  `json:"role"`
}

// CheckName returns nil if name is a valid node name, own or received: at most MaxNameLength bytes of UTF-8 without
// control characters. Otherwise the error wraps ErrName and quotes at most 64 bytes. The empty name is valid, since
// deployed nodes may send it.
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
