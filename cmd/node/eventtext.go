package main

import (
	"fmt"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
)

// maxPayloadText is the number of characters of a payload that the text output shows.
const maxPayloadText = 1024

func (e listening) text() string {
	if e.URL == "" {
		return fmt.Sprintf("%s (%s) is up and does not listen; it only dials", printable.Word(e.Name), e.ID)
	}
	dashboard := ""
	if e.Admin != "" {
		dashboard = ", dashboard at " + e.Admin
	}
	return fmt.Sprintf("%s (%s) is listening on %s%s", printable.Word(e.Name), e.ID, e.URL, dashboard)
}

func (e peerUp) text() string {
	note := ", " + e.Session
	if !e.Verified {
		note += ", not verified yet"
	}
	note += andMore(e.Omitted)
	return fmt.Sprintf("+ %s (%s) is connected, %s, %s%s",
		shortName(e.Name), e.Peer, e.Direction, printable.Word(e.Address), note)
}

func (e peerVerified) text() string {
	return fmt.Sprintf("  %s (%s) has proved that it holds its key", shortName(e.Name), e.Peer)
}

func (e peerMoved) text() string {
	return fmt.Sprintf("  %s (%s) moved from connection %d to %d; unconfirmed messages may be lost",
		shortName(e.called), e.Peer, e.From, e.To)
}

func (e downgradeRefused) text() string {
	return fmt.Sprintf("! connection %d from %s, claiming to be %s, was closed: "+
		"a frame was sealed for another connection%s",
		e.Connection, printable.Word(e.Address), e.Peer, andMore(e.Omitted))
}

// andMore returns the number of omitted events as text.
func andMore(omitted int) string {
	if omitted == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", omitted)
}

func (e peerDown) text() string {
	text := fmt.Sprintf("- %s (%s) %s", shortName(e.Name), e.Peer, output.Ended(e.Reason, e.Code, e.Remote, 128))
	if e.MovedTo != "" {
		text += "; connected to member " + printable.Word(e.MovedTo)
	}
	return text
}

func (e message) text() string {
	bare := withoutPayload(e).(bareMessage)
	return bare.head() + ": " + printable.Cut(printable.JSON(e.Envelope.Payload), maxPayloadText)
}

func (e bareMessage) text() string { return fmt.Sprintf("%s, %d bytes", e.head(), e.bytes) }

func (e bareMessage) head() string {
	kind := printable.Cut(printable.Word(string(e.Envelope.Type)), 64)
	answers := ""
	if e.Envelope.ReplyTo != "" {
		answers = " in answer to " + printable.Word(e.Envelope.ReplyTo)
	}
	id := printable.Word(e.Envelope.ID)
	return fmt.Sprintf("< %s (%.8s) %s %s%s", shortName(e.called), e.Peer, kind, id, answers)
}

func (e peerRefused) text() string {
	return fmt.Sprintf("! %s (%s) from %s was refused: %s%s", shortName(e.Name), e.Peer, printable.Word(e.Address),
		printable.Line(e.Reason), andMore(e.Omitted))
}

func (e dialFailed) text() string {
	text := printable.Line(e.Error)
	if e.advice != "" {
		text += ": " + e.advice
	}
	return fmt.Sprintf("! %s cannot be reached: %s; next try %s", printable.Word(e.Address), text,
		output.Pause(output.Seconds(e.RetryIn)))
}

func (e identityConflict) text() string {
	hosts := make([]string, len(e.Addresses))
	for i, address := range e.Addresses {
		hosts[i] = printable.Word(address)
	}
	note := "; new connections are refused: give each host its own identity"
	if e.Unproven {
		note = " (unproven: some of them bind no frames)"
	}
	return fmt.Sprintf("! the identity %s %s%s", e.Peer, output.InUse(hosts), note)
}

func (e dropped) text() string {
	return fmt.Sprintf("! %s (%s): %d dropped, counted in %s", shortName(e.called), e.Peer, e.Count, e.Reason)
}

func (e lost) text() string {
	return fmt.Sprintf("! %d %s lost: this reader is too slow", e.Count, plural(e.Count, "event was", "events were"))
}

func (e stopped) text() string { return "stopped: " + e.Reason }

func shortName(name string) string { return printable.Cut(printable.Word(name), 64) }
