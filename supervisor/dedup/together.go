package dedup

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// maxTogether is the number of messages whose content is hashed before the first of them is entered.
const maxTogether = 16

// SeenTogether implements actors.Deduplicator. A lock waits for the writes before it, and the processor begins nothing
// behind it: so all contents are hashed first, and the entries are counted at the end.
func (a *Account) SeenTogether(
	messages []wire.Message, keys []uint64, now time.Time,
) (fresh int, verdict actors.Verdict) {
	at, part, entries := a.set.at(now), a.peerPart(true), int64(0)
	defer func() { part.current.Add(entries) }()
	var contents [maxTogether]uint64
	for i := range messages {
		if i%maxTogether == 0 {
			for j := range messages[i:min(i+maxTogether, len(messages))] {
				contents[j] = a.set.own.contentTag(&messages[i+j])
			}
		}
		f := fingerprint{id: keys[i], peer: a.tag, content: contents[i%maxTogether]}
		verdict, added := a.judgeAt(at, part, entries, f, &messages[i], 0, true)
		if entries += added; verdict != actors.Fresh {
			return i, verdict
		}
	}
	return len(messages), actors.Fresh
}
