package peerbook

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/Snider/go-p2p/crypto"
)

// maxEntryJSON is above the JSON size of every entry within its limits, in bytes.
const maxEntryJSON = 8 << 10

// load reads one bucket of the file. Unknown buckets and keys belong to later releases and are skipped.
func (b *Book) load(name string, bucket *bolt.Bucket) error {
	each := func(_, _ []byte) error { return nil }
	switch name {
	case string(bucketPeers):
		each = b.loadPeer
	case string(bucketAllowed):
		each = eachKey(func(key crypto.PublicKey) { b.allowed[key] = struct{}{} })
	case string(bucketRevoked):
		each = eachKey(b.bar)
	case string(bucketAliases):
		each = func(k, v []byte) error {
			b.enterAlias(string(k), string(v))
			return nil
		}
	case string(bucketSuspended):
		each = b.loadSuspended
	case string(bucketState):
		each = b.loadState
	case string(bucketChanges):
		each = b.loadRecord
	case string(bucketArchive):
		each = func(_, _ []byte) error {
			b.entries.archive.count++
			return nil
		}
	case string(bucketOrder):
		each = func(k, v []byte) error {
			age, err := parseOrder(k, v)
			b.entries.archive.bytes += int64(age.size)
			return err
		}
	}
	return bucket.ForEach(each)
}

// loadRecord reads a record. Those of unknown kinds belong to later releases.
func (b *Book) loadRecord(k, v []byte) error {
	if len(k) == 0 || len(v) < 8 {
		return errRecord
	}
	r := Record{
		Kind: RecordKind(k[0]), Subject: string(k[1:]), Value: string(v[8:]), Stamp: binary.BigEndian.Uint64(v),
	}
	if r.check() == nil {
		b.records.set(r)
	}
	return nil
}

func (b *Book) loadState(k, v []byte) error {
	if string(k) != string(keyAuthMode) {
		return nil
	}
	mode, err := ParseAuthMode(string(v))
	b.mode, b.stored = mode, &mode
	return err
}

func (b *Book) loadSuspended(k, v []byte) error {
	until, err := time.Parse(time.RFC3339, string(v))
	if err != nil {
		return fmt.Errorf("the suspension of peer %.64q cannot be read", k)
	}
	b.enterSuspended(string(k), until)
	return nil
}

func eachKey(enter func(crypto.PublicKey)) func(k, v []byte) error {
	return func(k, _ []byte) error {
		if len(k) != crypto.KeySize {
			return fmt.Errorf("a key of %d bytes on the allowlist or among the revoked keys", len(k))
		}
		enter(crypto.PublicKey(k))
		return nil
	}
}

// loadPeer reads one entry. An entry of an earlier release, which had no limits, is cut. A larger one that is not
// protected is left out undecoded, so that a book that strangers filled does not delay the start.
func (b *Book) loadPeer(k, v []byte) error {
	if len(k) > maxPeerID || len(v) > maxEntryJSON && b.aliases[string(k)] == "" && !b.protectedJSON(v) {
		b.reshaped = append(b.reshaped, string(k))
		return nil
	}
	var p Peer
	if err := json.Unmarshal(v, &p); err != nil || p.ID != string(k) {
		return fmt.Errorf("the entry of peer %.64q cannot be read", k)
	}
	if p.cut() {
		b.reshaped = append(b.reshaped, p.ID)
	}
	b.entries.put(p)
	return nil
}

// protectedJSON is protected for an entry that is not decoded. Aliases and allowlist are loaded before the peers, by
// the order of the buckets' names. A text of a peer cannot imitate a key: inside a JSON string the quotes are escaped.
func (b *Book) protectedJSON(v []byte) bool {
	if bytes.Contains(v, []byte(`"persistent":true`)) {
		return true
	}
	_, after, _ := bytes.Cut(v, []byte(`"publicKey":"`))
	key, err := crypto.ParsePublicKey(string(after[:min(len(after), maxPeerKey)]))
	_, listed := b.allowed[key]
	return err == nil && listed
}

// loaded brings a book that was just read within its limits and schedules the write of its changes. An archive stays
// until a transport starts (trim): a program that only looks into the book may not know the limit.
func (b *Book) loaded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.reshaped {
		b.touch(id)
	}
	b.stampLoaded(time.Now())
	before := b.entries.len()
	b.reconcile()
	for b.entries.archive.count == 0 && b.entries.excessive() && b.evict() {
	}
	b.overLimits = len(b.reshaped) + before - b.entries.len()
	b.reshaped = nil
}

// maxTrim limits the batches of entries that trim evicts. The rest is evicted for new peers.
const maxTrim = 20

// trim brings a book with an archive within its limits.
func (b *Book) trim() {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.entries.len()
	if b.entries.limit <= b.entries.room && b.entries.archive.count > 0 {
		b.entries.archive.clear()
		b.schedule()
	}
	for n := 0; n < maxTrim && b.entries.excessive() && b.evict(); n++ {
	}
	b.overLimits += before - b.entries.len()
}

// reconcile moves entries out of the archive that an earlier release, which does not know it, has entered again or has
// protected from eviction. b.mu is held.
func (b *Book) reconcile() {
	if b.entries.archive.count == 0 {
		return
	}
	for id, p := range b.entries.recent {
		old, archived := b.entries.archive.get(id)
		if !archived {
			continue
		}
		if old.AddedAt.Before(p.AddedAt) {
			p.AddedAt = old.AddedAt
		}
		p.Binds, p.Session = p.Binds || old.Binds, p.Session || old.Session
		b.entries.put(p)
		b.touch(id)
	}
	for id := range b.aliases {
		b.recall(id)
	}
	for key := range b.allowed {
		b.recall(key.NodeID())
	}
}

// OverLimits returns how many entries of the file were cut or left out when it was opened, or removed by Begin.
func (b *Book) OverLimits() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.overLimits
}
