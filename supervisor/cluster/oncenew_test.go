package cluster_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// sending is one copy of a new message, sent over a connection that is open.
type sending struct {
	msg          *wire.Message
	peer, member string
	at           time.Time
}

// deliveredWithin is the time within which a new message is delivered, if its connection and member live for as long.
const deliveredWithin = time.Second

// shortSkew is a difference between clocks with which two members accept stamps of the same author.
const shortSkew = 2 * time.Minute

// setClocks sets the clocks of members and authors.
func (d *delivery) setClocks(skew time.Duration) {
	skews := []time.Duration{0, skew, -skew}
	for i, name := range d.names {
		d.host(name).skew = skews[i]
	}
	if skew == shortSkew { // the author's clock must not be ahead of both members that receive a message
		skews = make([]time.Duration, len(skews))
	}
	d.skews = map[string]time.Duration{}
	for i, author := range d.authors {
		d.host(author).skew, d.skews[keysOf(author).Identity().ID] = skews[i], skews[i]
	}
	for i := range nowhere {
		d.skews[fmt.Sprint("nowhere", i)] = skews[i%len(skews)]
	}
}

// sendNew has peers send a message that was not sent before.
func (d *delivery) sendNew(msg *wire.Message, peers ...string) {
	for _, peer := range peers {
		h := d.host(peer)
		if !h.up || h.GetConnection(nodeID()) == nil || h.Send(nodeID(), msg) != nil {
			continue
		}
		// Of a relayed message, the member sees only the stamp.
		skew := d.skews[msg.From]
		if own := msg.From == h.id(); own || skew == d.host(d.at[peer]).skew && d.host("b").skew != shortSkew {
			d.copies = append(d.copies, sending{msg, peer, d.at[peer], time.Now()})
		}
	}
}

// greet has a peer send a new message as soon as it is connected, within one second.
func (d *delivery) greet(peer string) {
	h := d.host(peer)
	for end := time.Now().Add(time.Second); h.up && time.Now().Before(end); time.Sleep(time.Millisecond) {
		if h.GetConnection(nodeID()) != nil {
			d.sendNew(d.message(h.id()), peer)
			return
		}
	}
}

// verifyNew requires that each new message was delivered, but those sent while a link was cut: a member that does not
// reach a peer's former home refuses messages stamped before that home counts as lost, and two members that meet again
// may take each other's copy of a message for the delivered one.
func (d *delivery) verifyNew(all map[string][]received) {
	verified := 0
	for _, c := range d.copies {
		soon := func(at time.Time) bool { return !at.Before(c.at) && !at.After(c.at.Add(deliveredWithin)) }
		ended := slices.ContainsFunc(d.host(c.peer).downs, soon) || slices.ContainsFunc(d.ended[c.member], soon)
		if ended || d.troubled(c.at) {
			continue
		}
		verified++
		if !slices.ContainsFunc(all[string(c.msg.Payload)], func(r received) bool { return soon(r.at) }) {
			d.t.Errorf("message %s of %s, sent at %v by %s to %s, was not delivered: %v", c.msg.Payload, c.msg.From[:4],
				c.at.Format("04:05.000"), c.peer, c.member, all[string(c.msg.Payload)])
		}
	}
	if verified == 0 {
		d.t.Error("no new message was expected")
	}
}
