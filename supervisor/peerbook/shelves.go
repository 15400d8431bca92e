package peerbook

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// shelves are the buckets of the archive within a transaction.
type shelves struct{ peers, order, texts *bolt.Bucket }

// openShelves returns nil if the file has no archive.
func openShelves(tx *bolt.Tx) *shelves {
	s := &shelves{tx.Bucket(bucketArchive), tx.Bucket(bucketOrder), tx.Bucket(bucketTexts)}
	if s.peers == nil || s.order == nil || s.texts == nil {
		return nil
	}
	return s
}

func makeShelves(tx *bolt.Tx) (*shelves, error) {
	var errs [3]error
	s := &shelves{}
	s.peers, errs[0] = tx.CreateBucketIfNotExists(bucketArchive)
	s.order, errs[1] = tx.CreateBucketIfNotExists(bucketOrder)
	s.texts, errs[2] = tx.CreateBucketIfNotExists(bucketTexts)
	return s, errors.Join(errs[:]...)
}

func dropShelves(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketArchive, bucketOrder, bucketTexts} {
		if tx.Bucket(name) == nil {
			continue
		}
		if err := tx.DeleteBucket(name); err != nil {
			return err
		}
	}
	return nil
}

func decodePeer(id string, data []byte) (p Peer, err error) {
	if err := json.Unmarshal(data, &p); err != nil || p.ID != id {
		return Peer{}, fmt.Errorf("the entry of peer %.64q cannot be read", id)
	}
	p.cut()
	return p, nil
}

func (s *shelves) get(id string) (p Peer, known bool, err error) {
	data := s.peers.Get([]byte(id))
	if data == nil {
		return Peer{}, false, nil
	}
	p, err = decodePeer(id, data)
	return p, err == nil, err
}

// set stores an entry, or removes it if p is nil, with its keys in the indexes.
func (s *shelves) set(id string, p *Peer) error {
	if err := s.remove(id); err != nil {
		return err
	}
	if p == nil {
		return nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	age := p.age()
	size := binary.BigEndian.AppendUint16(nil, uint16(age.size)) //nolint:gosec // below 8 KiB by the limits of an entry
	if err := errors.Join(s.peers.Put([]byte(id), data), s.order.Put(age.orderKey(), size)); err != nil {
		return err
	}
	for _, key := range p.textKeys() {
		if err := s.texts.Put(key, nil); err != nil {
			return err
		}
	}
	return nil
}

// remove removes an entry with its keys in the indexes. For one that cannot be read, it looks through the indexes: such
// an entry must not fail the transactions of the others.
func (s *shelves) remove(id string) error {
	old, known, err := s.get(id)
	if !known && err == nil {
		return nil
	}
	errs := []error{s.peers.Delete([]byte(id))}
	if known {
		age := old.age()
		errs = append(errs, s.order.Delete(age.orderKey()))
		for _, key := range old.textKeys() {
			errs = append(errs, s.texts.Delete(key))
		}
		return errors.Join(errs...)
	}
	errs = append(errs, removeKeys(s.order, func(key []byte) bool { return isOrderOf(key, id) }))
	errs = append(errs, removeKeys(s.texts, func(key []byte) bool { return isTextOf(key, id) }))
	return errors.Join(errs...)
}

// removeKeys removes the keys of a bucket that match.
func removeKeys(bucket *bolt.Bucket, match func(key []byte) bool) error {
	var keys [][]byte
	cursor := bucket.Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		if match(k) {
			keys = append(keys, bytes.Clone(k))
		}
	}
	var errs []error
	for _, key := range keys {
		errs = append(errs, bucket.Delete(key))
	}
	return errors.Join(errs...)
}

// isOrderOf reports whether a key of aged.orderKey is of a peer.
func isOrderOf(key []byte, id string) bool {
	return len(key) > 1+timeBytes && string(key[1+timeBytes:]) == id
}

// isTextOf reports whether a key of Peer.textKeys is of a peer.
func isTextOf(key []byte, id string) bool {
	head := 1 + hashBytes
	if len(key) > 0 && key[0] == kindName {
		head += timeBytes
	}
	return len(key) > head && string(key[head:]) == id
}

// from calls do for the entries from a key on, by ID, until it returns false or an error.
func (s *shelves) from(key []byte, do func(id string, data []byte) (more bool, err error)) error {
	cursor := s.peers.Cursor()
	for k, v := cursor.Seek(key); k != nil; k, v = cursor.Next() {
		if more, err := do(string(k), v); err != nil || !more {
			return err
		}
	}
	return nil
}

// oldest calls do for the entries with this value of returning, in the order of eviction, until it returns false.
func (s *shelves) oldest(returning bool, do func(aged) (more bool)) error {
	cursor := s.order.Cursor()
	class := orderClass(returning)
	for k, v := cursor.Seek([]byte{class}); k != nil && k[0] == class; k, v = cursor.Next() {
		age, err := parseOrder(k, v)
		if err != nil || !do(age) {
			return err
		}
	}
	return nil
}

// matching returns the IDs of the peers whose ID begins with text, and of those whose name has the hash of text.
func (s *shelves) matching(text string, minPrefix int) (ids []string) {
	if len(text) >= minPrefix && text != "" {
		cursor := s.peers.Cursor()
		for k, _ := cursor.Seek([]byte(text)); bytes.HasPrefix(k, []byte(text)) && len(ids) < maxSamePrefix; {
			ids = append(ids, string(k))
			k, _ = cursor.Next()
		}
	}
	return append(ids, s.withText(namePrefix(text), maxSameName)...)
}

// withText returns the IDs of the first n keys that begin with a prefix of textKeys.
func (s *shelves) withText(prefix []byte, n int) (ids []string) {
	skip := len(prefix)
	if prefix[0] == kindName {
		skip += timeBytes
	}
	cursor := s.texts.Cursor()
	for k, _ := cursor.Seek(prefix); bytes.HasPrefix(k, prefix) && len(k) > skip && len(ids) < n; k, _ = cursor.Next() {
		ids = append(ids, string(k[skip:]))
	}
	return ids
}

// Keys of the indexes.
const (
	kindName    = 'n'
	kindAddress = 'a'
	timeBytes   = 12 // seconds and nanoseconds, in the order of time
	hashBytes   = 8
)

func appendTime(key []byte, t time.Time) []byte {
	key = binary.BigEndian.AppendUint64(key, uint64(t.Unix())^1<<63)  //nolint:gosec // keeps the order
	return binary.BigEndian.AppendUint32(key, uint32(t.Nanosecond())) //nolint:gosec // below 1e9
}

func orderClass(returning bool) byte {
	if returning {
		return 1
	}
	return 0
}

// orderKey is the class, the time, and the ID.
func (a aged) orderKey() []byte {
	return append(appendTime([]byte{orderClass(a.returning)}, a.seen), a.id...)
}

func parseOrder(key, size []byte) (aged, error) {
	if len(key) <= 1+timeBytes || len(size) != 2 {
		return aged{}, fmt.Errorf("a key of the archive's order has %d bytes, its value %d", len(key), len(size))
	}
	seconds := int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63) //nolint:gosec // the inverse of appendTime
	return aged{
		returning: key[0] == orderClass(true),
		seen:      time.Unix(seconds, int64(binary.BigEndian.Uint32(key[9:]))).UTC(),
		id:        string(key[1+timeBytes:]),
		size:      int(binary.BigEndian.Uint16(size)),
	}, nil
}

func textPrefix(kind byte, text string) []byte {
	hash := sha256.Sum256([]byte(text))
	return append([]byte{kind}, hash[:hashBytes]...)
}

func namePrefix(name string) []byte       { return textPrefix(kindName, name) }
func addressPrefix(address string) []byte { return textPrefix(kindAddress, address) }

// textKeys are the keys by name and address. Peers of one name are in the order in which they took it, so that later
// ones do not displace earlier ones in a search.
func (p *Peer) textKeys() (keys [][]byte) {
	if p.Name != "" {
		since := p.AddedAt
		if p.NamedAt.After(since) {
			since = p.NamedAt
		}
		keys = append(keys, append(appendTime(namePrefix(p.Name), since), p.ID...))
	}
	if p.Address != "" {
		keys = append(keys, append(addressPrefix(p.Address), p.ID...))
	}
	return keys
}
