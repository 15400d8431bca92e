package peerbook

import (
	"cmp"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Change is a change by an operator. Several fields can be set.
type Change struct {
	Allow, Revoke []crypto.PublicKey   // see Book.Allow and Book.Revoke
	Mode          *AuthMode            // see Book.SetAuthMode; nil: unchanged
	Alias         map[string]string    // see Book.SetAlias
	Suspend       map[string]time.Time // see Book.Suspend
	Forget        []string             // see Book.Remove; the removal of the entries is scheduled
}

// Enter carries out a change and returns its records. They are stamped with a time, or later than all that the book
// has. The change is on disk when it returns. After an error nothing has changed: crypto.ErrPublicKey, ErrAuthMode,
// ErrAlias, ErrAliasTaken, ErrWrite, or that of a record that other members would refuse: a node ID of more than 64
// bytes, or a suspension beyond the year 9999.
func (b *Book) Enter(change Change, at time.Time) (list []Record, err error) {
	list, err = change.records()
	if err != nil {
		return nil, err
	}
	err = b.commitRecords(func() ([]Record, error) {
		for id, name := range change.Alias {
			if owner := b.owners[name]; name != "" && owner != "" && owner != id {
				return nil, fmt.Errorf("%w: %s", ErrAliasTaken, owner)
			}
		}
		list = append(b.liftedBy(change.Allow), list...)
		stamp := b.records.stamp(at)
		for i := range list {
			list[i].Stamp = stamp
		}
		return list, nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// records returns the records of a change without stamps, each of which check accepts.
func (c Change) records() (list []Record, err error) {
	add := func(kind RecordKind, subject, value string) {
		r := Record{Kind: kind, Subject: subject, Value: value}
		err = cmp.Or(err, r.check())
		list = append(list, r)
	}
	for _, key := range c.Allow {
		add(RecordKey, string(key[:]), valueAllow)
	}
	for _, key := range c.Revoke {
		add(RecordKey, string(key[:]), valueRevoke)
	}
	if c.Mode != nil {
		add(RecordMode, "", c.Mode.String())
		if !c.Mode.valid() {
			err = cmp.Or(err, ErrAuthMode)
		}
	}
	for id, name := range c.Alias {
		add(RecordAlias, id, name)
	}
	for id, until := range c.Suspend {
		add(RecordSuspend, id, formatTime(until))
	}
	for _, id := range c.Forget {
		add(RecordForget, id, "")
	}
	return list, err
}

// liftedBy returns the records that end the suspensions of peers with these keys. b.mu is held.
func (b *Book) liftedBy(keys []crypto.PublicKey) (list []Record) {
	for _, key := range keys {
		if id := key.NodeID(); !b.suspended[id].IsZero() {
			list = append(list, Record{Kind: RecordSuspend, Subject: id})
		}
	}
	return list
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// commitRecords writes records to disk, with all scheduled entries, and then applies them in memory. choose is called
// with b.mu held for reading, and can refuse the change.
func (b *Book) commitRecords(choose func() ([]Record, error)) error {
	var list []Record
	var surplus []string
	return b.commitIf(func() (err error) {
		list, err = choose()
		surplus = b.records.surplus(list)
		return err
	}, func(w *batch) {
		w.records = append(w.records, list...)
		w.surplus = surplus
	}, func() {
		for _, r := range list {
			b.apply(r)
		}
		for _, key := range surplus {
			b.records.drop(key)
		}
	})
}

// apply enters a checked record in memory. b.mu is held.
func (b *Book) apply(r Record) {
	b.records.set(r)
	switch r.Kind {
	case RecordForget:
		if p, known := b.entries.get(r.Subject); known && p.LastSeen.Before(r.time()) {
			b.drop(r.Subject)
		}
	case RecordKey:
		key := crypto.PublicKey([]byte(r.Subject))
		if r.Value == valueRevoke {
			delete(b.allowed, key)
			b.bar(key)
			return
		}
		b.allowed[key] = struct{}{}
		b.lift(key)
		b.recall(key.NodeID())
	case RecordMode:
		mode, _ := ParseAuthMode(r.Value)
		b.mode, b.stored = mode, &mode
	case RecordAlias:
		b.enterAlias(r.Subject, r.Value)
		if r.Value != "" {
			b.recall(r.Subject)
		}
	case RecordSuspend:
		until, _ := time.Parse(time.RFC3339, r.Value)
		b.enterSuspended(r.Subject, until)
	}
}

// stampLoaded gives records to the content of a file of a release that writes none. Content that contradicts its record
// was changed by such a release, and gets a new one. b.mu is held.
func (b *Book) stampLoaded(now time.Time) {
	stamp := b.records.stamp(now)
	enter := func(kind RecordKind, subject, value string) {
		r := Record{Kind: kind, Subject: subject, Value: value}
		old, known := b.records.get(r.Key())
		if known && old.Value == value || !known && value == "" {
			return
		}
		if known {
			r.Stamp = stamp
			b.restamped = append(b.restamped, r)
			b.schedule()
		}
		b.records.set(r)
	}
	for key := range b.allowed {
		if _, both := b.revoked[key]; !both {
			enter(RecordKey, string(key[:]), valueAllow)
		}
	}
	for key := range b.revoked {
		enter(RecordKey, string(key[:]), valueRevoke)
	}
	if b.stored != nil {
		enter(RecordMode, "", b.stored.String())
	}
	for id, name := range b.aliases {
		enter(RecordAlias, id, name)
	}
	for id, until := range b.suspended {
		enter(RecordSuspend, id, formatTime(until))
	}
	for _, shelf := range b.records.shelves {
		for _, r := range shelf {
			if r.Kind == RecordAlias && b.aliases[r.Subject] == "" ||
				r.Kind == RecordSuspend && b.suspended[r.Subject].IsZero() {
				enter(r.Kind, r.Subject, "")
			}
		}
	}
}
