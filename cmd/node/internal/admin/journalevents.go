package admin

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/supervisor"
)

// maxHosts limits the hosts that the entry of an identity conflict lists.
const maxHosts = 4

// event adds the entry of a transport event, if there is one.
func (j *journal) event(e supervisor.Event, now time.Time) {
	if shown, ok := entryOf(e); ok {
		j.add(shown, now)
	}
}

// entryOf returns the entry of a transport event. The page puts the peer's name before the text of every entry with a
// Peer, except those of kind "connected". The text names a claimed peer itself.
func entryOf(e supervisor.Event) (shown entry, ok bool) {
	switch e := e.(type) {
	case supervisor.PeerUp:
		return entry{Mood: good, Kind: "connected", Peer: e.Peer, Text: upText(e)}, true
	case supervisor.PeerVerified:
		return entry{Mood: good, Kind: "verified", Peer: e.Peer, Text: "has proved that it holds its key"}, true
	case supervisor.PeerDown:
		text := output.Ended(e.Reason, e.Code, e.Remote, maxName)
		return entry{Mood: warning, Kind: "disconnected", Peer: e.Peer, Text: text}, true
	case supervisor.PeerMoved:
		text := fmt.Sprintf("moved from connection %d to %d; unconfirmed messages may be lost", e.From, e.To)
		return entry{Mood: warning, Kind: "moved", Peer: e.Peer, Text: text}, true
	case supervisor.Dropped:
		text := fmt.Sprintf("had %d messages dropped, counted in %s", e.Count, e.Reason)
		return entry{Mood: warning, Kind: "dropped", Peer: e.Peer, Text: text}, true
	case supervisor.DowngradeRefused:
		return entry{Mood: bad, Kind: "refused", Text: refusedText(e)}, true
	case supervisor.PeerRefused:
		return entry{Mood: warning, Kind: "refused", Text: peerRefusedText(e)}, true
	case supervisor.IdentityConflict:
		return entry{Mood: bad, Kind: "identity conflict", Peer: e.Peer, Text: conflictText(e)}, true
	case supervisor.DialFailed:
		text := fmt.Sprintf("%s cannot be reached: %s; next try %s", word(e.Address),
			printable.Cut(printable.Line(output.ErrorText(cause(e.Err))), 2*maxName), output.Pause(e.RetryIn))
		return entry{Mood: warning, Kind: "dial failed", Text: text}, true
	case supervisor.ListenerDown:
		text := fmt.Sprintf("no peer can connect any more: %s", printable.Cut(printable.Line(e.Err.Error()), 2*maxName))
		return entry{Mood: warning, Kind: "listening ended", Text: text}, true
	}
	return entry{}, false
}

func upText(e supervisor.PeerUp) string {
	text := fmt.Sprintf("%s is connected, %s, %s, %s", word(e.Name), e.Direction, word(e.Address), e.Format)
	if !e.Verified {
		text += ", not verified yet"
	}
	if e.Omitted > 0 {
		text += fmt.Sprintf("; %d more unverified peers are not shown", e.Omitted)
	}
	return text
}

func refusedText(e supervisor.DowngradeRefused) string {
	text := fmt.Sprintf("connection %d from %s, claiming to be %.32s, was closed: "+
		"a frame was sealed for another connection", e.Connection, word(e.Address), e.Peer)
	if e.Omitted > 0 {
		text += fmt.Sprintf("; %d more are not shown", e.Omitted)
	}
	return text
}

func peerRefusedText(e supervisor.PeerRefused) string {
	text := fmt.Sprintf("%s from %s, claiming to be %.32s, was refused: %s", word(e.Name), word(e.Address), e.Peer,
		e.Reason)
	if e.Omitted > 0 {
		text += fmt.Sprintf("; %d more are not shown", e.Omitted)
	}
	return text
}

func conflictText(e supervisor.IdentityConflict) string {
	hosts := make([]string, 0, maxHosts)
	for _, host := range e.Addresses[:min(maxHosts, len(e.Addresses))] {
		hosts = append(hosts, word(host))
	}
	if len(e.Addresses) > maxHosts {
		hosts = append(hosts, "…")
	}
	text := output.InUse(hosts)
	if e.Unproven {
		return text + "; unproven: some of them bind no frames"
	}
	return text + "; new connections are refused"
}

// cause returns a network error without the address, which the entry contains already.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// name makes text that a peer chose safe to show and cuts it to maxName characters.
func name(text string) string { return printable.Cut(printable.Text(text), maxName) }

// word is name for use within a sentence: it quotes text with spaces.
func word(text string) string { return printable.Cut(printable.Word(text), maxName) }
