package session

import "time"

// A rekey costs a receiver as much as a few records, so a peer may send few that no limit requires. One that follows at
// least half of a sender's limit is free: at a high rate the limits require many a minute.
const (
	freeRekeyRecords = 1 << 19
	freeRekeyBytes   = 1 << 35
	needlessRekeys   = 4
	needlessWindow   = time.Minute
)

// rekeyLog holds the times of the last needless rekeys of a peer.
type rekeyLog struct {
	at [needlessRekeys]time.Duration
	n  int // needless rekeys so far; at[n%needlessRekeys] is the oldest of the last ones
}

// needless reports whether no limit required a rekey after the given number of records and bytes under one key, the
// rekey record included.
func needless(records, bytes uint64) bool {
	return records < freeRekeyRecords && bytes < freeRekeyBytes
}

// allow reports whether a needless rekey at now is acceptable: at most needlessRekeys in any needlessWindow.
func (l *rekeyLog) allow(now time.Duration) bool {
	oldest := &l.at[l.n%needlessRekeys]
	if l.n >= needlessRekeys && now-*oldest < needlessWindow {
		return false
	}
	*oldest = now
	l.n++
	return true
}
