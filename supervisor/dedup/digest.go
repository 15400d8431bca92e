package dedup

import (
	"crypto/hkdf"
	"crypto/sha256"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Digest is a message of a peer as the sets of all members of a node see it: the members share the secret of their
// sets. It tells nothing about the message without the secret.
type Digest struct {
	ID, Content, Peer uint64        // the last is of the peer that has sent the message, not of its author
	Ahead             time.Duration // by which the message is stamped ahead of the clock: 0 to one window
}

// ShareSecret makes the set use a secret derived from a key of 32 bytes or more, which all members of the node have.
// Only digests under the same secret can be compared. It must be called before the set is used.
func (d *Set) ShareSecret(key []byte) error {
	derived, err := hkdf.Key(sha256.New, key, nil, "go-p2p cluster dedup", 16)
	if err != nil {
		return err
	}
	d.own.secret = expandSecret([16]byte(derived))
	return nil
}

// Window returns the time for which the set remembers a message.
func (d *Set) Window() time.Duration { return d.window }

// Digest returns the digest of a message that the account's peer has sent.
func (a *Account) Digest(msg *wire.Message, now time.Time) Digest {
	d := a.set
	return Digest{ID: d.own.idKey(msg.ID), Content: d.own.contentTag(msg), Peer: a.tag, Ahead: d.ahead(msg, d.wall(now))}
}

// KnownDigest is Known for a digest. The verdict is never Stale.
func (a *Account) KnownDigest(m Digest, now time.Time) actors.Verdict {
	return a.askDigest(m, now, false)
}

// SeenDigest is Seen for a digest. The verdict is never Stale.
func (a *Account) SeenDigest(m Digest, now time.Time) actors.Verdict {
	return a.askDigest(m, now, true)
}

func (a *Account) askDigest(m Digest, now time.Time, enter bool) actors.Verdict {
	ahead := min(max(m.Ahead, 0), a.set.window)
	return a.judge(fingerprint{id: m.ID, peer: m.Peer, content: m.Content}, nil, ahead, now, enter)
}

// Member returns the access of another member of the node. It may fill the set: it has applied the shares of its peers.
func (d *Set) Member(name string) *Account {
	a := d.account("member "+name, "") // no node ID has a space
	a.member = true
	return a
}
