package top

import (
	"fmt"

	"charm.land/lipgloss/v2"
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
		{"NAME", 12, byName, func(_ Model, p output.Peer) string { return orDash(p.Label()) }},
		{"ID", 8, orders, func(_ Model, p output.Peer) string { return p.ID[:min(8, len(p.ID))] }},
		{"STATE", 10, byState, func(_ Model, p output.Peer) string { return string(p.State) }},
		{"DIR", 3, orders, func(_ Model, p output.Peer) string { return direction(p) }},
		{"FMT", 5, orders, func(_ Model, p output.Peer) string { return format(p) }},
		{"RTT", 9, byRTT, func(_ Model, p output.Peer) string { return output.RoundTrip(p.RTTMs) }},
		{"TREND", 6, orders, func(m Model, p output.Peer) string { return spark(m.rtt[key(p)], 6) }},
		{"QUEUE", 5, byQueue, func(_ Model, p output.Peer) string { return fmt.Sprint(p.Queued) }},
		{"SEEN", 6, bySeen, func(m Model, p output.Peer) string { return seen(m, p) }},
		{"ADDRESS", 0, orders, func(_ Model, p output.Peer) string { return addressOf(p) }},
	}
}

func addressOf(p output.Peer) string { return orDash(p.Address) }

// orDash quotes a text of a peer; an empty one becomes a dash.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return printable.Word(text)
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

// row returns the line of one entry. For one that is dialled, dials and last error take the place of the columns behind
// STATE; an entry without a peer has its address in place of name and ID.
func (m Model) row(p output.Peer) string {
	line, dials := "", dialsOf(m, p)
	for i, c := range columns() {
		width, text := m.widthOf(c), c.text(m, p)
		if p.ID == "" && i < 2 {
			if i == 1 {
				continue
			}
			width, text = width+1+m.widthOf(columns()[1]), addressOf(p)
		}
		text = cell(text, width)
		if c.title == "STATE" && key(p) != m.selected {
			text = stateStyle(p.State).Render(text)
		}
		line += text + " "
		if c.title == "STATE" && dials != "" {
			line += cell(dials, max(m.width-ansi.StringWidth(line)-1, 0)) + " "
			break
		}
	}
	if key(p) == m.selected {
		return chosen.Render(line)
	}
	return line
}

func stateStyle(state output.State) lipgloss.Style {
	switch state {
	case output.StateConnected:
		return good
	case output.StateUnverified, output.StateDialling, output.StateWaiting:
		return warn
	default:
		return faint
	}
}

// dialsOf describes the dials of an entry that is not connected: failed ones, time until the next one, last error. It
// returns "" if there are none.
func dialsOf(m Model, p output.Peer) string {
	if p.Connected || p.Attempts == 0 && p.NextDialAt == nil && p.LastError == "" {
		return ""
	}
	text := fmt.Sprintf("%d failed", p.Attempts)
	if p.NextDialAt != nil {
		text += ", next dial " + output.Until(p.NextDialAt.Sub(m.last.At))
	}
	if p.LastError != "" {
		text += ": " + printable.Line(p.LastError)
	}
	return text
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
