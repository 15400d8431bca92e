package peerbook

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// batch is the content of one transaction.
type batch struct {
	peers     map[string]*Peer // recent ones, by ID; nil: removed
	archive   map[string]*Peer // archived ones, by ID; nil: removed
	discard   bool             // the archive is removed before
	records   []Record         // changes by an operator
	surplus   []string         // keys of records that are removed after that
	restamped int              // the first ones of records: see Book.stampLoaded
	running   *bool            // nil: unchanged
}

// apply writes the batch within a transaction.
func (w *batch) apply(tx *bolt.Tx) error {
	buckets := make(map[string]*bolt.Bucket)
	for _, name := range [][]byte{
		bucketPeers, bucketAllowed, bucketRevoked, bucketState, bucketAliases, bucketSuspended,
		bucketChanges,
	} {
		b, err := tx.CreateBucketIfNotExists(name)
		if err != nil {
			return err
		}
		buckets[string(name)] = b
	}
	peers, state := buckets[string(bucketPeers)], buckets[string(bucketState)]
	errs := []error{w.applyArchive(tx)}
	for id, p := range w.peers {
		if p == nil {
			errs = append(errs, peers.Delete([]byte(id)))
			continue
		}
		data, err := json.Marshal(p)
		errs = append(errs, err, peers.Put([]byte(id), data))
	}
	for _, r := range w.records {
		errs = append(errs, r.write(buckets))
	}
	for _, key := range w.surplus {
		errs = append(errs, buckets[string(bucketChanges)].Delete([]byte(key)))
	}
	if w.running != nil && *w.running {
		errs = append(errs, state.Put(keyRunning, []byte{1}))
	} else if w.running != nil {
		errs = append(errs, state.Delete(keyRunning))
	}
	return errors.Join(errs...)
}

// applyArchive writes the changes of the archive.
func (w *batch) applyArchive(tx *bolt.Tx) error {
	if w.discard {
		if err := dropShelves(tx); err != nil {
			return err
		}
	}
	if len(w.archive) == 0 {
		return nil
	}
	s, err := makeShelves(tx)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(w.archive)) { // neighbours share pages
		if err := s.set(id, w.archive[id]); err != nil {
			return err
		}
	}
	return nil
}

// write writes a record, and the content that it stands for in the buckets of earlier releases.
func (r Record) write(buckets map[string]*bolt.Bucket) error {
	subject, text := []byte(r.Subject), []byte(r.Value)
	value := append(binary.BigEndian.AppendUint64(nil, r.Stamp), text...)
	err := buckets[string(bucketChanges)].Put([]byte(r.Key()), value)
	set := func(name []byte) error {
		if r.Value == "" {
			return buckets[string(name)].Delete(subject)
		}
		return buckets[string(name)].Put(subject, text)
	}
	allowed, revoked := buckets[string(bucketAllowed)], buckets[string(bucketRevoked)]
	switch r.Kind {
	case RecordForget: // the removal of the entry is scheduled
		return err
	case RecordKey:
		if r.Value == valueRevoke {
			allowed, revoked = revoked, allowed
		}
		return errors.Join(err, allowed.Put(subject, nil), revoked.Delete(subject))
	case RecordMode:
		return errors.Join(err, buckets[string(bucketState)].Put(keyAuthMode, text))
	case RecordAlias:
		return errors.Join(err, set(bucketAliases))
	default:
		return errors.Join(err, set(bucketSuspended))
	}
}
