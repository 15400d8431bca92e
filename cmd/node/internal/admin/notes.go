package admin

import (
	"fmt"
	"time"
)

// noteEvery is how often the journal may hear of one reason: under a flood it must keep room for everything else.
const noteEvery = 10 * time.Second

// dialsFailed is the one of the reasons below that is no loss: nobody had anything to lose yet.
const dialsFailed = "dialsFailed"

// dropReason is one way in which a message, a connection or an actor is lost, and how people call it.
type dropReason struct {
	counter string
	label   string // of the bar
	what    string // for the journal, after the number
	mood    mood
}

// dropReasons are all of them, as the page shows them.
func dropReasons() []dropReason {
	return []dropReason{
		{"messagesRateLimited", "over the rate limit", "frames dropped: over the rate limit", warning},
		{"framesMalformed", "did not open", "frames dropped: they did not open, or held no message", bad},
		{"messagesDuplicate", "seen before", "messages dropped: seen before", calm},
		{"messagesStale", "stale", "messages dropped: stamped too far from now", warning},
		{"messagesRefused", "refused", "messages refused: our own sent back, relayed by an unverified peer, of another node than the peer, or too many to remember", warning},
		{"handshakesRejected", "handshake rejected", "handshakes rejected", bad},
		{"connectionsRefused", "no free connection", "connections refused: no free place", warning},
		{"originsRefused", "origin refused", "connections refused: they came from a website", warning},
		{"slowPeersClosed", "peer too slow", "peers closed: they read too slowly", warning},
		{"peersTimedOut", "peer silent", "peers closed: no sign of life", warning},
		{"messagesAfterGoodbye", "after a goodbye", "messages not delivered: they came after a close began", calm},
		{"messagesOverPeerRate", "over the peer's rate", "messages sent above the peer's rate limit: it may have dropped them", warning},
		{"downgradesRefused", "sealed for another connection", "connections closed: a frame was sealed for another connection", bad},
		{dialsFailed, "dial failed", "dials failed", calm},
	}
}

// faults are what the journal hears of besides.
func faults() []dropReason {
	return []dropReason{
		{"actorRestarts", "", "actors panicked; their supervisor dealt with it", bad},
		{"subscribersStuck", "", "subscribers unsubscribed: they took no message for a minute", bad},
		{"handlerPanics", "", "message handlers panicked", bad},
		{"acceptErrors", "", "accept calls of the listener failed", bad},
		{"bookWriteErrors", "", "writes of the peer book failed", bad},
	}
}

// note is what the journal has heard of one reason.
type note struct {
	told uint64
	at   time.Time
}

// takeNotes writes into the journal what the counters say was lost.
func (m *monitor) takeNotes(counters map[string]uint64, now time.Time) {
	for _, reason := range append(dropReasons(), faults()...) {
		if reason.counter == dialsFailed {
			continue // each is in the journal already, with its address
		}
		last, count := m.notes[reason.counter], counters[reason.counter]
		if count == last.told || !last.at.IsZero() && now.Sub(last.at) < noteEvery {
			continue
		}
		m.journal.add(entry{Mood: reason.mood, Kind: "counted", Text: fmt.Sprintf("%d %s", count-last.told, reason.what)}, now)
		m.notes[reason.counter] = note{told: count, at: now}
	}
}
