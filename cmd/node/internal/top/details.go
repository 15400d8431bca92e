package top

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/wire"
)

// details returns the lines about one entry.
func (m Model) details(p output.Peer) []string {
	trip := output.RoundTrip(p.RTTMs)
	if h := m.rtt[key(p)]; len(h) > 0 {
		trip += fmt.Sprintf("   min %s  max %s   %s",
			output.RoundTrip(slices.Min(h)), output.RoundTrip(slices.Max(h)), spark(h, min(len(h), 30)))
	}
	rows := [][2]string{
		{"id", orDash(p.ID)},
		{"public key", orDash(p.PublicKey)},
		{"role", orDash(string(p.Role)) + ", software " + orDash(p.Agent)},
		{"address", addressOf(p)},
		{"kept at", kept(p)},
		{"state", string(p.State) + "  " + p.Direction},
		{"session", sessionOf(p)},
		{"round trip", trip},
		{"clock", output.Clock(p.ClockSkewMs)},
		{"messages", traffic(p.MessagesReceived, p.MessagesSent, p.Dropped) + fmt.Sprintf(", %d queued", p.Queued)},
		{"last seen", seen(m, p)},
		{"known since", since(p.AddedAt)},
		{"marks", marks(m, p)},
	}
	if dials := dialsOf(m, p); dials != "" {
		rows = append(rows, [2]string{"dials", dials})
	}
	for _, c := range p.Connections {
		if len(p.Connections) > 1 {
			rows = append(rows, [2]string{fmt.Sprintf("number %d", c.Connection), fmt.Sprintf("%s  %s  %s  %s", c.Direction,
				orDash(c.Address), orDash(c.Session), traffic(c.MessagesReceived, c.MessagesSent, c.Dropped))})
		}
	}
	lines := []string{bold.Render(nameOf(p))}
	for _, row := range rows {
		lines = append(lines, fmt.Sprintf("  %-12s %s", row[0], printable.Text(row[1])))
	}
	return lines
}

func traffic(received, sent, dropped uint64) string {
	return fmt.Sprintf("%d received, %d sent, %d dropped", received, sent, dropped)
}

// kept lists the addresses that are kept connected.
func kept(p output.Peer) string {
	if len(p.Addresses) == 0 {
		return "-"
	}
	return strings.Join(p.Addresses, "  ")
}

// marks lists the operator's decisions about a peer.
func marks(m Model, p output.Peer) string {
	var list []string
	for _, mark := range []struct {
		name string
		set  bool
	}{{"persistent", p.Persistent}, {"allowed", p.Allowed}, {"revoked", p.Revoked}} {
		if mark.set {
			list = append(list, mark.name)
		}
	}
	if !p.RefusedUntil.IsZero() {
		list = append(list, "refused for "+output.Age(p.RefusedUntil.Sub(m.last.At)))
	}
	if p.Alias != "" {
		list = append(list, "claims the name "+printable.Word(p.Name))
	}
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

// sessionOf describes the frame format and the pin of a peer.
func sessionOf(p output.Peer) string {
	text := p.Session
	if text == "" {
		text = "-"
	}
	if p.Pinned {
		text += ", pinned: it has spoken " + wire.FeatureSession
	}
	return text
}

func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime + " UTC")
}
