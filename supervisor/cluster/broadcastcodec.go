package cluster

import (
	"encoding/binary"

	"github.com/Snider/go-p2p/supervisor"
)

// castNamed is the mode of broadcasts whose sender understands the names in the result. Members of earlier versions
// ignore it.
const castNamed = supervisor.ForwardQueued

// Codes of the names in the result of a broadcast. They are no errors.
const (
	codeMoving code = 250 // MemberBroadcast.Moving
	codeGone   code = 251
	codeRelies code = 252
)

// resultOfBroadcast returns the result of a broadcast to the peers of this member. named: the sender understands names.
func resultOfBroadcast(sum supervisor.MemberBroadcast, named bool) entryResult {
	if sum.Refused != nil {
		return failure(sum.Refused)
	}
	b := binary.AppendUvarint(nil, uint64(max(sum.Sent, 0)))
	for _, failed := range sum.Failed {
		code, text := encodeError(failed.Err)
		b = appendText(append(appendText(b, failed.Peer), byte(code)), text)
	}
	if named {
		b = appendNames(b, codeMoving, sum.Moving)
		b = appendNames(b, codeGone, sum.Gone)
		b = appendNames(b, codeRelies, sum.Relies)
	}
	return entryResult{data: b}
}

func appendNames(b []byte, c code, names []string) []byte {
	for _, name := range names {
		b = appendText(append(appendText(b, name), byte(c)), "")
	}
	return b
}

func decodeBroadcast(data []byte) (sum supervisor.MemberBroadcast, err error) {
	r := reader{rest: data}
	sum.Sent = int(min(r.uvarint(), 1<<31-1))
	for !r.bad && len(r.rest) > 0 {
		name, c, text := r.text(maxPeerID), code(r.byte()), r.text(maxText)
		switch c {
		case codeMoving:
			sum.Moving = append(sum.Moving, name)
		case codeGone:
			sum.Gone = append(sum.Gone, name)
		case codeRelies:
			sum.Relies = append(sum.Relies, name)
		case codeOK: // no member names a success
			r.bad = true
		default:
			sum.Failed = append(sum.Failed, supervisor.SendFailure{Peer: name, Err: decodeError(c, text)})
		}
	}
	if r.bad {
		return supervisor.MemberBroadcast{}, &supervisor.UnconfirmedError{Cause: errMessage}
	}
	return sum, nil
}
