package cluster_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Random cuts, kills, stops, joins and moves of peers, with clocks of members and authors that differ by two minutes or
// an hour: while authors repeat their messages, and relays send copies to two members at once, no member delivers a
// message twice, and two members only if a link between members was cut. A new message whose connection and member live
// for a second is delivered, if no link was cut. No member delivers a message that was not sent.
func TestRandomFaultsDeliverNoMessageTwice(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*meshSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newDelivery(t, seed).run() })
		})
	}
}

// delivery is one run of the test.
type delivery struct {
	*mesh
	random  *rand.Rand
	names   []string // of members
	authors []string // peers that move; further authors are connected nowhere
	relays  []string
	sent    []*wire.Message
	copies  []sending
	skews   map[string]time.Duration // of clocks, by authors
	at      map[string]string        // members by the peers that dial them
	ended   map[string][]time.Time   // members: kills and stops
	trouble []period
	healed  bool // no link is cut
	log     []string
}

const nowhere = 5 // number of authors that are connected nowhere

// period is a time in which some members do not reach each other.
type period struct{ from, to time.Time }

func newDelivery(t *testing.T, seed uint64) *delivery {
	d := &delivery{
		mesh: newMesh(t, seed), random: rand.New(rand.NewPCG(seed, 2)), names: []string{"a", "b", "c"},
		authors: []string{"author1", "author2", "author3"}, relays: []string{"relay1", "relay2", "relay3"}, healed: true,
		at: map[string]string{}, ended: map[string][]time.Time{},
	}
	d.setClocks([]time.Duration{0, time.Hour, shortSkew}[seed%3])
	d.members(d.names...)
	for i, relay := range d.relays {
		d.at[relay] = d.names[i]
		d.peer(relay, d.names[i:i+1])
	}
	for _, author := range d.authors {
		d.move(author)
	}
	d.pass(time.Second)
	d.message("nowhere0")
	return d
}

func (d *delivery) one(of []string) string { return of[d.random.IntN(len(of))] }

// note adds a line to the log of the run.
func (d *delivery) note(parts ...any) {
	d.log = append(d.log, time.Now().Format("04:05.000 ")+fmt.Sprint(parts...))
}

// move connects an author to another member, or nowhere.
func (d *delivery) move(author string) {
	d.host(author).stop()
	to := ""
	if d.random.IntN(5) > 0 {
		to = d.one(d.names)
		d.peer(author, []string{to})
	}
	d.at[author] = to
	d.note("move ", author, " to ", to)
	if d.random.IntN(2) == 0 {
		d.greet(author)
	}
}

func (d *delivery) run() {
	for range 250 {
		d.step()
		time.Sleep(time.Duration(d.random.IntN(600)) * time.Millisecond)
	}
	d.heal()
	d.pass(10 * time.Second)
	for i := range d.sent { // all of them again, at all members
		for _, relay := range d.relays {
			d.send(relay, d.sent[len(d.sent)-1-i])
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.pass(time.Minute)
	d.verify()
	if d.t.Failed() {
		for _, name := range d.names {
			d.note(name, " unchecked: ", d.hosts[name].Counters()[actors.ClusterUnchecked.String()])
		}
		d.t.Log(joined(d.log))
	}
}

func (d *delivery) step() {
	switch n := d.random.IntN(100); {
	case n < 40:
		author := d.one(d.authors)
		d.sendNew(d.message(keysOf(author).Identity().ID), author)
	case n < 75:
		msg := d.message(fmt.Sprint("nowhere", d.random.IntN(nowhere)))
		if d.random.IntN(3) > 0 {
			msg = d.sent[max(0, len(d.sent)-1-d.random.IntN(20))]
			d.send(d.one(d.relays), msg)
			d.send(d.one(d.relays), msg)
		} else {
			d.sendNew(msg, d.one(d.relays), d.one(d.relays))
		}
	case n < 85:
		msg := d.sent[max(0, len(d.sent)-1-d.random.IntN(40))]
		for _, author := range d.authors {
			if keysOf(author).Identity().ID == msg.From {
				d.send(author, msg)
			}
		}
	case n < 93:
		d.move(d.one(d.authors))
	case n < 95 && d.healed:
		d.cut()
	case n < 97:
		d.heal()
	default:
		d.end(d.one(d.names))
	}
}

// message makes a message of an author.
func (d *delivery) message(author string) *wire.Message {
	msg := authored(author, fmt.Sprint(len(d.sent)))
	msg.Timestamp = msg.Timestamp.Add(d.skews[author])
	d.sent = append(d.sent, msg)
	return msg
}

// send has a peer send a message, if it is connected.
func (d *delivery) send(peer string, msg *wire.Message) {
	if h := d.host(peer); h.up {
		_ = h.Send(nodeID(), msg)
	}
}

func (d *delivery) cut() {
	alone := d.one(d.names)
	d.note("cut ", alone)
	oneWay := d.random.IntN(3) == 0
	for _, name := range d.names {
		if name != alone {
			d.bus.Cut(alone, name, true)
			d.bus.Cut(name, alone, !oneWay)
		}
	}
	d.healed = false
	d.trouble = append(d.trouble, period{from: time.Now(), to: time.Now().Add(24 * time.Hour)})
}

func (d *delivery) heal() {
	d.bus.HealAll()
	if !d.healed {
		d.note("heal")
		d.healed = true
		d.trouble[len(d.trouble)-1].to = time.Now().Add(3 * time.Second)
	}
}

// end kills or stops a member, and starts it again later. The others notice a kill within three seconds.
func (d *delivery) end(name string) {
	d.heal()
	d.pass(3 * time.Second)
	h := d.hosts[name]
	d.ended[name] = append(d.ended[name], time.Now())
	if d.random.IntN(2) == 0 {
		d.note("kill ", name)
		h.kill(d.random.IntN(2) == 0)
	} else {
		d.note("stop ", name)
		h.stop()
	}
	d.pass(time.Duration(d.random.IntN(8000)) * time.Millisecond)
	h = d.newMember(name)
	h.start(keysOf("node"), nil, supervisor.WithCluster(h.engine))
	d.note("start ", name)
}

// troubled reports whether some members did not reach each other at a time.
func (d *delivery) troubled(at time.Time) bool {
	return slices.ContainsFunc(d.trouble, func(p period) bool { return !at.Before(p.from) && !at.After(p.to) })
}

// received is a delivery of a message.
type received struct {
	member string
	start  int // of the member
	at     time.Time
}

func (d *delivery) verify() {
	all := map[string][]received{}
	for _, name := range d.names {
		h := d.hosts[name]
		for i, text := range h.messages() {
			all[text] = append(all[text], received{name, h.by[i], h.at[i]})
		}
	}
	byText := maps.Clone(all)
	for _, msg := range d.sent {
		list := all[string(msg.Payload)]
		delete(all, string(msg.Payload))
		slices.SortFunc(list, func(a, b received) int { return a.at.Compare(b.at) })
		for i := 1; i < len(list); i++ {
			before, again := list[i-1], list[i]
			same := before.member == again.member && before.start == again.start
			if same || !d.troubled(before.at) && !d.troubled(again.at) {
				d.t.Errorf("message %s of %s, stamped %v, was delivered twice: %v", msg.Payload, msg.From, msg.Timestamp, list)
			}
		}
	}
	d.verifyNew(byText)
	if len(all) > 0 {
		d.t.Errorf("%d messages were delivered and never sent: %v", len(all), all)
	}
	if len(d.sent) < 50 {
		d.t.Errorf("only %d messages were sent", len(d.sent))
	}
}
