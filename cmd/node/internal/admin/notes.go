package admin

import (
	"fmt"
	"time"
)

// noteEvery is the shortest time between two entries of one reason, so that a flood does not evict all other entries.
const noteEvery = 10 * time.Second

// dialsFailed is the only reason below without a loss: no message or connection existed yet.
const dialsFailed = "dialsFailed"

// dropReason describes a counter of lost messages, connections or actors.
type dropReason struct {
	counter string
	label   string // of its bar in the dashboard
	text    string // of its journal entry, after the number
	mood    mood
}

// dropReasons returns the reasons that the dashboard shows as bars.
func dropReasons() []dropReason {
	return []dropReason{
		{"messagesRateLimited", "over the rate limit", "frames dropped: over the rate limit", warning},
		{"framesMalformed", "did not open", "frames dropped: they did not open, or held no message", bad},
		{"messagesDuplicate", "seen before", "messages dropped: seen before", calm},
		{"messagesStale", "stale", "messages dropped: stamped too far from now", warning},
		{
			"messagesRefused", "refused", "messages refused: our own returned, relayed by an unverified peer, " +
				"not from the peer itself, or too many to remember", warning,
		},
		{"handshakesRejected", "handshake rejected", "handshakes rejected", bad},
		{"connectionsRefused", "no free connection", "connections refused: no free place", warning},
		{"originsRefused", "origin refused", "connections refused: they came from a website", warning},
		{"slowPeersClosed", "peer too slow", "peers closed: they read too slowly", warning},
		{"peersTimedOut", "peer silent", "peers closed: no sign of life", warning},
		{"messagesAfterGoodbye", "after a goodbye", "messages not delivered: they came after a close began", calm},
		{
			"messagesOverPeerRate", "over the peer's rate",
			"messages sent above the peer's rate limit: it may have dropped them", warning,
		},
		{
			"downgradesRefused", "sealed for another connection",
			"connections closed: a frame was sealed for another connection", bad,
		},
		{dialsFailed, "dial failed", "dials failed", calm},
	}
}

// faults returns the reasons that appear in the journal only.
func faults() []dropReason {
	return []dropReason{
		{"actorRestarts", "", "actors panicked; the supervisor handled it", bad},
		{"subscribersStuck", "", "subscribers unsubscribed: they took no message for a minute", bad},
		{"eventsLost", "", "events lost: a reader of an event stream is too slow", warning},
		{"repliesDropped", "", "replies of handlers dropped: the peer's queue was full, or it was gone", warning},
		{"logLinesDropped", "", "log lines dropped: the log is not read, or read too slowly", warning},
		{"handlerPanics", "", "message handlers panicked", bad},
		{"acceptErrors", "", "accept calls of the listener failed", bad},
		{"bookWriteErrors", "", "writes of the peer book failed", bad},
	}
}

// note is the last journal entry of one reason.
type note struct {
	count uint64 // value of the counter
	at    time.Time
}

// takeNotes adds entries for the counters that have grown to the journal.
func (m *monitor) takeNotes(counters map[string]uint64, now time.Time) {
	for _, reason := range append(dropReasons(), faults()...) {
		if reason.counter == dialsFailed {
			continue // the event DialFailed is in the journal
		}
		last, count := m.notes[reason.counter], counters[reason.counter]
		if count == last.count || !last.at.IsZero() && now.Sub(last.at) < noteEvery {
			continue
		}
		text := fmt.Sprintf("%d %s", count-last.count, reason.text)
		m.journal.add(entry{Mood: reason.mood, Kind: "counted", Text: text}, now)
		m.notes[reason.counter] = note{count: count, at: now}
	}
}
