package top

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
)

func (m Model) quit() (tea.Model, tea.Cmd) {
	m.quitting = true
	return m, tea.Quit
}

// key handles a key in the current mode.
func (m Model) key(msg tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := msg.String()
	if name == "ctrl+c" {
		return m.quit()
	}
	if m.mode != filtering {
		m.note = ""
	}
	switch m.mode {
	case filtering:
		return m.typed(name, msg.Text), nil
	case confirming:
		return m.confirmed(name)
	case looking:
		return m.looked(name)
	default:
		return m.browsed(name)
	}
}

func (m Model) browsed(name string) (tea.Model, tea.Cmd) {
	switch name {
	case "q":
		return m.quit()
	case "/":
		m.mode = filtering
	case "esc":
		m.filter = ""
		m = m.reselect()
	case "s":
		m.sort = (m.sort + 1) % orders
	case "r":
		m.reversed = !m.reversed
	case "enter":
		if m.selected != "" {
			m.mode = looking
		}
	case "d":
		return m.toConfirm(), nil
	default:
		m = m.move(name)
	}
	return m, nil
}

func (m Model) looked(name string) (tea.Model, tea.Cmd) {
	switch name {
	case "q":
		return m.quit()
	case "esc", "enter", "backspace":
		m.mode = browsing
	case "d":
		return m.toConfirm(), nil
	default:
		m = m.move(name)
	}
	return m, nil
}

// toConfirm asks for confirmation to disconnect the selected peer.
func (m Model) toConfirm() Model {
	p, ok := m.peer()
	switch {
	case !ok:
	case p.ID == "":
		m.note = "no peer has answered at " + addressOf(p) + ": remove it from the settings"
	case !p.Connected && !p.Persistent:
		m.note = nameOf(p) + " is not connected"
	default:
		m.back, m.mode = m.mode, confirming
	}
	return m
}

func (m Model) confirmed(name string) (tea.Model, tea.Cmd) {
	m.mode = m.back
	p, ok := m.peer()
	if name != "y" || !ok {
		m.note = "not disconnected"
		return m, nil
	}
	feed := m.feed
	return m, func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
		defer cancel()
		return disconnected{name: nameOf(p), err: feed.Disconnect(ctx, p)}
	}
}

// typed edits the filter.
func (m Model) typed(name, text string) Model {
	switch name {
	case "enter":
		m.mode = browsing
	case "esc":
		m.filter, m.mode = "", browsing
	case "backspace":
		if letters := []rune(m.filter); len(letters) > 0 {
			m.filter = string(letters[:len(letters)-1])
		}
	default:
		m.filter = printable.Cut(m.filter+text, 64)
	}
	return m.reselect()
}

// move moves the selection.
func (m Model) move(name string) Model {
	list := m.visible()
	if len(list) == 0 {
		return m
	}
	at, page := m.at(list), max(m.rows()-1, 1)
	switch name {
	case "up", "k":
		at--
	case "down", "j":
		at++
	case "pgup":
		at -= page
	case "pgdown":
		at += page
	case "home", "g":
		at = 0
	case "end", "G":
		at = len(list) - 1
	}
	m.selected = key(list[min(max(at, 0), len(list)-1)])
	return m
}
