package top

import (
	"fmt"
	"slices"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/wire"
)

// column is one column of the table. The last column takes the remaining width.
type column struct {
	title string
	width int
	order order // the order that sorts by this column; orders: none
	text  func(m Model, p output.Peer) string
}

func columns() []column {
	return []column{
		{"NAME", 12, byName, func(_ Model, p output.Peer) string { return printable.Word(p.Label()) }},
		{"ID", 8, orders, func(_ Model, p output.Peer) string { return p.ID[:min(8, len(p.ID))] }},
		{"STATE", 10, byState, func(_ Model, p output.Peer) string { return string(p.State) }},
		{"DIR", 3, orders, func(_ Model, p output.Peer) string { return direction(p) }},
		{"FMT", 5, orders, func(_ Model, p output.Peer) string { return format(p) }},
		{"RTT", 9, byRTT, func(_ Model, p output.Peer) string { return output.RoundTrip(p.RTTMs) }},
		{"TREND", 6, orders, func(m Model, p output.Peer) string { return spark(m.rtt[p.ID], 6) }},
		{"QUEUE", 5, byQueue, func(_ Model, p output.Peer) string { return fmt.Sprint(p.Queued) }},
		{"SEEN", 6, bySeen, func(m Model, p output.Peer) string { return seen(m, p) }},
		{"ADDRESS", 0, orders, func(_ Model, p output.Peer) string { return addressOf(p) }},
	}
}

func addressOf(p output.Peer) string {
	if p.Address == "" {
		return "-"
	}
	return printable.Word(p.Address)
}

func direction(p output.Peer) string {
	switch p.Direction {
	case "inbound":
		return "in"
	case "outbound":
		return "out"
	default:
		return "-"
	}
}

// format returns the frame format in short: s/1 for session/1, or smsg. A pinned peer has a plus.
func format(p output.Peer) string {
	text := "-"
	switch p.Session {
	case "":
	case wire.FeatureSession:
		text = "s/1"
	default:
		text = p.Session
	}
	if p.Pinned {
		text += "+"
	}
	return text
}

func seen(m Model, p output.Peer) string {
	if p.LastSeen.IsZero() {
		return "-"
	}
	return output.Age(m.last.At.Sub(p.LastSeen))
}

// table returns the head and as many peers as fit, around the selected one.
func (m Model) table() []string {
	lines := []string{bold.Render(m.tableHead())}
	list := m.visible()
	if len(list) == 0 {
		empty := "no peers yet: dial one with `node connect ADDR`"
		if m.filter != "" {
			empty = "no peer matches the filter"
		}
		return append(lines, faint.Render(empty))
	}
	rows, at := m.rows(), max(m.at(list), 0)
	first := min(max(at-rows/2, 0), max(len(list)-rows, 0))
	for _, p := range list[first:min(first+rows, len(list))] {
		lines = append(lines, m.row(p))
	}
	return lines
}

func (m Model) tableHead() string {
	line := ""
	for _, c := range columns() {
		title := c.title
		if c.order == m.sort {
			arrow := "↓"
			if m.reversed {
				arrow = "↑"
			}
			title += arrow
		}
		line += cell(title, m.widthOf(c)) + " "
	}
	return line
}

func (m Model) row(p output.Peer) string {
	line := ""
	for _, c := range columns() {
		text := cell(c.text(m, p), m.widthOf(c))
		if c.title == "STATE" && p.ID != m.selected {
			switch p.State {
			case output.StateConnected:
				text = good.Render(text)
			case output.StateUnverified:
				text = warn.Render(text)
			default:
				text = faint.Render(text)
			}
		}
		line += text + " "
	}
	if p.ID == m.selected {
		return chosen.Render(line)
	}
	return line
}

// widthOf returns the width of a column in cells.
func (m Model) widthOf(c column) int {
	if c.width > 0 {
		return c.width
	}
	used := 0
	for _, other := range columns() {
		if other.width > 0 {
			used += other.width + 1
		}
	}
	return max(m.width-used-1, 0)
}

// cell cuts or pads a text to a width.
func cell(text string, width int) string {
	text = ansi.Truncate(text, width, "…")
	return text + fmt.Sprintf("%*s", width-ansi.StringWidth(text), "")
}

// details returns the lines about one peer.
func (m Model) details(p output.Peer) []string {
	yes := map[bool]string{true: "yes", false: "no"}
	trip := output.RoundTrip(p.RTTMs)
	if h := m.rtt[p.ID]; len(h) > 0 {
		trip += fmt.Sprintf("   min %s  max %s   %s",
			output.RoundTrip(slices.Min(h)), output.RoundTrip(slices.Max(h)), spark(h, min(len(h), 30)))
	}
	lines := []string{bold.Render(nameOf(p))}
	for _, row := range [][2]string{
		{"id", p.ID},
		{"public key", p.PublicKey},
		{"role", string(p.Role)},
		{"address", addressOf(p)},
		{"state", string(p.State) + "  " + p.Direction},
		{"session", sessionOf(p)},
		{"round trip", trip},
		{"queue", fmt.Sprintf("%d messages", p.Queued)},
		{"last seen", seen(m, p)},
		{"known since", since(p.AddedAt)},
		{"persistent", yes[p.Persistent]},
		{"allowed", yes[p.Allowed]},
	} {
		lines = append(lines, fmt.Sprintf("  %-12s %s", row[0], printable.Text(row[1])))
	}
	return lines
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
