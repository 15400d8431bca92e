package cluster

import (
	"context"
	"errors"
)

// A member that holds a claimed peer, or that is asked about a message, is lost at its first "no responders", and not
// only after lostAfter without a heartbeat: the operating system closes the connections of a killed process at once,
// and NATS then knows that nothing subscribes to the subjects of that member.

// probe asks a member whether anything subscribes to its subjects. One probe of a member is under way at a time. A
// member answers the empty question without its program.
func (c *coordinator) probe(m *member) {
	e := c.engine
	if m.probing || !e.exchanges.begin() {
		return
	}
	m.probing = true
	boot := m.boot
	go func() {
		defer e.exchanges.done()
		ctx, cancel := context.WithTimeout(e.exchanges.ctx, askAgain)
		defer cancel()
		_, err := e.bus.Request(ctx, e.subject("m", m.name, "ask"), nil)
		e.tell(&probed{member: m, boot: boot, gone: errors.Is(err, ErrNoResponders)})
	}()
}

// onProbed marks a member without subscriptions as lost, which decides the claims that wait for it. If the member is
// alive after all, its next heartbeat ends that, but none that it may have sent before its end. The result does not
// count for a start that was heard meanwhile.
func (c *coordinator) onProbed(msg *probed) {
	m := msg.member
	m.probing = false
	if msg.gone && msg.boot == m.boot && !m.lost && c.directory.members[m.name] == m {
		m.ended = c.now()
		c.lose(m)
	}
}
