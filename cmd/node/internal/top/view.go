package top

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
)

// The smallest window. In a smaller one the view shows its size instead.
const (
	minWidth  = 60
	minHeight = 10
	around    = 7 // lines besides peers: four about the node, a blank line, the table head, the keys
)

// Colours come from the terminal's palette, so that they suit light and dark themes. Without colours, bold and reversed
// text remain.
var (
	bold   = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	chosen = lipgloss.NewStyle().Reverse(true)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	warn   = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
)

// View implements tea.Model.
func (m Model) View() tea.View {
	v := tea.NewView("")
	if !m.quitting {
		v.AltScreen, v.WindowTitle = true, "node top"
		v.SetContent(m.screen())
	}
	return v
}

// screen returns the whole view, at most height lines of width cells.
func (m Model) screen() string {
	if m.width < minWidth || m.height < minHeight {
		text := fmt.Sprintf("the window is %d×%d: top needs %d×%d", m.width, m.height, minWidth, minHeight)
		return ansi.Truncate(text, m.width, "")
	}
	lines := append(m.head(), "")
	if p, ok := m.peer(); ok && (m.mode == looking || m.mode == confirming && m.back == looking) {
		lines = append(lines, m.details(p)...)
	} else {
		lines = append(lines, m.table()...)
	}
	lines = lines[:min(len(lines), m.height-1)]
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines, m.foot())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	return strings.Join(lines, "\n")
}

// rows returns the number of peers that fit.
func (m Model) rows() int { return max(m.height-around, 1) }

// head returns the four lines about the node.
func (m Model) head() []string {
	s := m.last.Status
	address := s.Address
	if address == "" {
		address = "not listening"
	}
	first := bold.Render(printable.Cut(printable.Word(s.Identity.Name), 32)) +
		fmt.Sprintf("  %.8s  %s  %s  up %s", s.Identity.ID, address, s.Auth, output.Age(output.Seconds(s.Uptime)))
	if len(m.last.Missing) > 0 {
		first += "  " + bad.Render("no answer of "+printable.Line(strings.Join(m.last.Missing, ", ")))
	}
	if m.last.Err != nil {
		first += "  " + bad.Render("no answer: "+printable.Line(m.last.Err.Error()))
	}
	traffic := fmt.Sprintf("in %s %s  %s   out %s %s  %s",
		perSecond(m.rate("messagesReceived")), bytesPerSecond(m.rate("bytesReceived")), spark(m.in, 10),
		perSecond(m.rate("messagesSent")), bytesPerSecond(m.rate("bytesSent")), spark(m.out, 10))
	c := s.Connections
	health := fmt.Sprintf("connections %d of %d, %d pending   memory %.1f MiB   goroutines %d",
		c.Established, c.Max, c.Pending, float64(s.HeapBytes)/(1<<20), s.Goroutines)
	return []string{first, traffic, health, m.troubles()}
}

// trouble is a counter of losses or faults, with its name on the screen.
type trouble struct{ counter, name string }

// troubles returns the line of losses and faults above 0.
func (m Model) troubles() string {
	var parts []string
	for _, t := range []trouble{
		{"messagesRateLimited", "limited"},
		{"messagesDuplicate", "duplicate"},
		{"messagesStale", "stale"},
		{"messagesRefused", "refused"},
		{"framesMalformed", "malformed"},
		{"connectionsRefused", "no slot"},
		{"originsRefused", "origin"},
		{"handshakesRejected", "handshake"},
		{"slowPeersClosed", "slow"},
		{"peersTimedOut", "timed out"},
		{"actorRestarts", "restarts"},
		{"handlerPanics", "panics"},
		{"dialsFailed", "failed dials"},
		{"messagesAfterGoodbye", "after goodbye"},
		{"messagesOverPeerRate", "over peer rate"},
		{"acceptErrors", "accept errors"},
		{"bookWriteErrors", "book errors"},
		{"downgradesRefused", "foreign frames"},
		{"subscribersStuck", "stuck subscribers"},
		{"eventsLost", "lost events"},
		{"repliesDropped", "dropped replies"},
		{"logLinesDropped", "dropped log lines"},
	} {
		n := m.last.Status.Counters[t.counter]
		if n == 0 {
			continue
		}
		text := fmt.Sprintf("%s %d", t.name, n)
		if m.rate(t.counter) > 0 {
			text = warn.Render(text)
		}
		if t.counter == "actorRestarts" || t.counter == "handlerPanics" {
			text = bad.Render(text)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return faint.Render("no drops, no restarts")
	}
	return "drops " + strings.Join(parts, "  ")
}

// foot returns the last line: the filter, a question, the result of the last command, or the keys.
func (m Model) foot() string {
	p, _ := m.peer()
	switch {
	case m.mode == filtering:
		return bold.Render("/"+m.filter) + "█  " + faint.Render("enter: keep  esc: clear")
	case m.mode == confirming:
		return warn.Render(question(p) + " y: yes, any other key: no")
	case m.note != "":
		return printable.Line(m.note)
	case m.mode == looking:
		return faint.Render("↑↓ peer  d disconnect  esc back  q quit")
	}
	keys := "↑↓ select  enter more  / filter  s sort  r reverse  d disconnect  q quit"
	if m.filter != "" {
		keys = bold.Render("/"+m.filter) + "  " + faint.Render("esc: clear  "+keys)
		return keys
	}
	return faint.Render(keys)
}

// question asks for the confirmation of a disconnect.
func question(p output.Peer) string {
	if p.Claimed() {
		return fmt.Sprintf("Close connection %d, which claims to be %s?", p.Connection, nameOf(p))
	}
	return "Disconnect " + nameOf(p) + " and stop redialling it?"
}

func nameOf(p output.Peer) string {
	if p.ID == "" {
		return addressOf(p)
	}
	return fmt.Sprintf("%s (%.8s)", printable.Cut(orDash(p.Label()), 32), p.ID)
}

func perSecond(rate float64) string { return fmt.Sprintf("%.0f/s", rate) }

func bytesPerSecond(rate float64) string {
	switch {
	case rate >= 1e6:
		return fmt.Sprintf("%.1f MB/s", rate/1e6)
	case rate >= 1e3:
		return fmt.Sprintf("%.1f kB/s", rate/1e3)
	default:
		return fmt.Sprintf("%.0f B/s", rate)
	}
}

// spark draws the last width values, scaled to the largest of them.
func spark(values []float64, width int) string {
	const bars = "▁▂▃▄▅▆▇█"
	letters := []rune(bars)
	values = values[max(0, len(values)-width):]
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	var line strings.Builder
	line.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		at := 0
		if most > 0 {
			at = int(v / most * float64(len(letters)-1))
		}
		line.WriteRune(letters[at])
	}
	return line.String()
}
