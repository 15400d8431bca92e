package session

import "time"

// Limits of one receiving key: twice those of the sender.
const (
	maxOpenedRecords = 1 << 21
	maxOpenedBytes   = 1 << 37
)

// Opener opens the records of one direction in the order of sealing. It is a handle: copies share one state. Not safe
// for concurrent use.
type Opener struct{ o *opening }

type opening struct {
	direction
	rekeys *rekeyLog // nil: no needless rekey so far
	err    error     // final
}

// Open opens one record in place and returns its type and its messages, which lie inside record; a rekey record has
// none. It overwrites record, also on an error. After a rekey record it has changed to the next key. now is the time
// since any fixed origin, the same for all calls.
//
// Each error wraps ErrRecord and is final: the secret is erased, later calls return the same error, and the caller
// closes the connection. Open allocates nothing, except for a cipher after Rest, a rekey, and in builds where the
// cipher of golang.org/x/crypto is portable Go.
func (o Opener) Open(record []byte, now time.Duration) (RecordType, []byte, error) {
	if o.o.err != nil {
		return 0, nil, o.o.err
	}
	t, messages, err := o.o.open(record, now)
	if err != nil {
		o.o.err = err
		o.o.erase()
		return 0, nil, err
	}
	return t, messages, nil
}

// Rest drops the cipher and keeps the secret of 32 bytes. The next Open derives the cipher again.
func (o Opener) Rest() { o.o.rest() }

func (o *opening) open(record []byte, now time.Duration) (RecordType, []byte, error) {
	t, err := checkShape(record)
	if err != nil {
		return 0, nil, err
	}
	if o.records >= maxOpenedRecords || o.bytes+uint64(len(record)) > maxOpenedBytes {
		return 0, nil, ErrKeyLimit
	}
	aead, nonce := o.ready()
	messages, err := aead.Open(record[typeLen:typeLen], nonce, record[typeLen:], record[:typeLen])
	if err != nil {
		return 0, nil, ErrAuthentication
	}
	o.count(len(record))
	if t == Messages {
		return t, messages, nil
	}
	if needless(o.records, o.bytes) {
		if o.rekeys == nil {
			o.rekeys = &rekeyLog{}
		}
		if !o.rekeys.allow(now) {
			return 0, nil, ErrRekeyRate
		}
	}
	o.update()
	return t, nil, nil
}

// checkShape returns the type of a record, or the error that needs no key.
func checkShape(record []byte) (RecordType, error) {
	if len(record) < Overhead {
		return 0, ErrTruncated
	}
	switch t, empty := RecordType(record[0]), len(record) == Overhead; {
	case t == Messages && empty:
		return 0, ErrEmpty
	case t == Rekey && !empty:
		return 0, ErrRekeyLength
	case t == Messages, t == Rekey:
		return t, nil
	default:
		return 0, ErrType
	}
}
