package peerbook

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/Snider/go-p2p/crypto"
)

// batch is the content of one transaction.
type batch struct {
	peers         map[string]*Peer     // recent ones, by ID; nil: removed
	archive       map[string]*Peer     // archived ones, by ID; nil: removed
	discard       bool                 // the archive is removed before
	alias         map[string]string    // by node ID; empty: removed
	suspend       map[string]time.Time // by node ID; zero: removed
	allow, revoke []crypto.PublicKey
	mode          *AuthMode // nil: unchanged
	running       *bool     // nil: unchanged
}

// apply writes the batch within a transaction.
func (w *batch) apply(tx *bolt.Tx) error {
	buckets := make(map[string]*bolt.Bucket)
	for _, name := range [][]byte{bucketPeers, bucketAllowed, bucketRevoked, bucketState, bucketAliases, bucketSuspended} {
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
	allowed, revoked := buckets[string(bucketAllowed)], buckets[string(bucketRevoked)]
	for _, key := range w.allow {
		errs = append(errs, allowed.Put(key[:], nil), revoked.Delete(key[:]))
	}
	for _, key := range w.revoke {
		errs = append(errs, revoked.Put(key[:], nil), allowed.Delete(key[:]))
	}
	errs = append(errs, w.applyNames(buckets[string(bucketAliases)], buckets[string(bucketSuspended)]))
	if w.mode != nil {
		errs = append(errs, state.Put(keyAuthMode, []byte(w.mode.String())))
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

// applyNames writes aliases and suspensions.
func (w *batch) applyNames(aliases, suspended *bolt.Bucket) error {
	var errs []error
	for id, name := range w.alias {
		if name == "" {
			errs = append(errs, aliases.Delete([]byte(id)))
			continue
		}
		errs = append(errs, aliases.Put([]byte(id), []byte(name)))
	}
	for id, until := range w.suspend {
		if until.IsZero() {
			errs = append(errs, suspended.Delete([]byte(id)))
			continue
		}
		errs = append(errs, suspended.Put([]byte(id), []byte(until.UTC().Format(time.RFC3339Nano))))
	}
	return errors.Join(errs...)
}
