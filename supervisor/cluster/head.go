package cluster

import (
	"encoding/binary"
	"errors"
)

// version is the version of all messages between members. A member ignores unknown kinds of its version. It does not
// join members of another version: neither would know the peers and the changes of the other.
const version = 1

const maxName = 32 // bytes of a member's name

var (
	errMessage = errors.New("malformed message of a member")
	errVersion = errors.New("message of a later version")
	errEarlier = errors.New("message of an earlier version")
)

// head is the start of every message between members: version, kind, name and boot of the sender.
type head struct {
	kind kind
	from string // name of the sender
	boot uint64 // random for each start of the sender
}

// head returns the head of a message of this member.
func (e *Engine) head(k kind) head { return head{kind: k, from: e.opts.Name, boot: e.opts.Boot} }

func (h head) appendTo(b []byte) []byte {
	b = appendText(append(b, version, byte(h.kind)), h.from)
	return binary.BigEndian.AppendUint64(b, h.boot)
}

// readHead returns the head of the message in b, and a reader of the fields behind it. The errors are errVersion,
// errEarlier and errMessage.
func readHead(b []byte) (h head, r reader, err error) {
	if len(b) < 1 {
		return h, r, errMessage
	}
	if err := checkVersion(b[0], version); err != nil {
		return h, r, err
	}
	if len(b) < 2 {
		return h, r, errMessage
	}
	r.rest = b[2:]
	h = head{kind: kind(b[1]), from: r.text(maxName), boot: r.uint64()}
	if r.bad || h.from == "" {
		return h, r, errMessage
	}
	return h, r, nil
}

// checkVersion returns the error about the version of a message, or nil if it is the own one. 0 is none.
func checkVersion(theirs, own byte) error {
	switch {
	case theirs > own:
		return errVersion
	case theirs == 0:
		return errMessage
	case theirs < own:
		return errEarlier
	default:
		return nil
	}
}
