package cluster

// maxHandover is the largest number of pages that a member hands over when it leaves: about a million entries, 24 MB.
// If it has more, the others treat it as a member that was killed.
const maxHandover = 512

// handOver publishes the entries of this member's set of messages, and returns the number of pages plus one. It returns
// 0 if there are too many entries.
func (c *coordinator) handOver() (pages uint64) {
	e := c.engine
	e.answering.Lock()
	e.handing = true
	e.answering.Unlock()
	if len(c.directory.members) == 1 || c.joined != nil {
		return 0
	}
	c.local.ExportSeen(func(entries []byte) bool {
		if pages++; pages <= maxHandover {
			c.publish(e.subject("dir"), &message{head: e.head(kindHandover), entries: entries})
		}
		return pages <= maxHandover
	})
	if pages > maxHandover {
		return 0
	}
	return pages + 1
}

// onHandover takes over a page of a member that leaves.
func (c *coordinator) onHandover(msg *message) {
	m := c.directory.members[msg.from]
	if m != nil && m.boot == msg.boot && c.local.ImportSeen(m.name, msg.entries) {
		m.pages++
	}
}

// noteHandover notes whether a member that has left has handed over all its entries.
func (c *coordinator) noteHandover(m *member, goodbye *message) {
	c.engine.seen.left(m, m.boot != 0 && goodbye.pages == m.pages+1)
}
