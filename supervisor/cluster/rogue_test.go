package cluster_test

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
)

// rogue is a process with the key of the node that sends messages as no member does. It speaks as version 1.
type rogue struct {
	w    *world
	bus  *membus.Bus
	name string
	boot uint64
	last atomic.Uint64 // number of its last message

	asked atomic.Int32 // questions for a page of its claims
}

// next returns the number of its next message.
func (r *rogue) next() uint64 { return r.last.Add(1) }

// rogue attaches a rogue to the bus. page returns the answer to a question for the claims from offset on; nil: it has
// none.
func (w *world) rogue(name string, boot uint64, page func(r *rogue, offset uint64) []byte) *rogue {
	w.t.Helper()
	r := &rogue{w: w, bus: w.net.Bus(fmt.Sprintf("%s-%d", name, boot)), name: name, boot: boot}
	if page == nil {
		page = func(r *rogue, _ uint64) []byte { return r.page(0, 0) }
	}
	if _, err := r.bus.Subscribe("p2p.node.m."+name+".snap", func(d cluster.Delivery) {
		r.asked.Add(1)
		d.Respond(page(r, offsetIn(d.Body)))
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(r.bus.Kill)
	return r
}

// offsetIn returns the first claim that a question for a page asks for.
func offsetIn(body []byte) uint64 {
	rest := body[3+int(body[2])+8:] // version, kind, name, boot
	_, n := binary.Uvarint(rest)
	offset, _ := binary.Uvarint(rest[n:])
	return offset
}

func (r *rogue) head(kind byte) []byte {
	b := append([]byte{1, kind, byte(len(r.name))}, r.name...)
	return binary.BigEndian.AppendUint64(b, r.boot)
}

// claim is a peer with a term.
type claim struct {
	peer string
	term uint64
}

func appendClaims(b []byte, claims []claim) []byte {
	b = binary.AppendUvarint(b, uint64(len(claims)))
	for _, c := range claims {
		b = append(append(b, byte(len(c.peer))), c.peer...)
		b = binary.AppendUvarint(b, c.term)
	}
	return b
}

// page returns a page of a snapshot after the last message.
func (r *rogue) page(offset, total uint64, claims ...claim) []byte {
	b := binary.AppendUvarint(r.head(21), r.last.Load())
	return appendClaims(binary.AppendUvarint(binary.AppendUvarint(b, offset), total), claims)
}

func (r *rogue) publish(body []byte) {
	r.w.t.Helper()
	if err := r.bus.Publish("p2p.node.dir", body); err != nil {
		r.w.t.Fatal(err)
	}
}

// update sends claims under a number of the sequence.
func (r *rogue) update(seq uint64, claims ...claim) {
	r.w.t.Helper()
	r.publish(binary.AppendUvarint(appendClaims(binary.AppendUvarint(r.head(1), seq), claims), 0))
}

// beat sends the next heartbeat with the time on its clock.
func (r *rogue) beat(clock int64) {
	r.w.t.Helper()
	b := binary.AppendUvarint(r.head(2), r.next())
	b = append(b, 0, 0, 0, 0)               // alive, connections, limit, address
	b = binary.BigEndian.AppendUint64(b, 0) // an empty book
	b = binary.BigEndian.AppendUint64(b, uint64(clock))
	r.publish(append(b, 0))
}

// beats sends a heartbeat each 250 ms for a time.
func (r *rogue) beats(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(250 * time.Millisecond) {
		r.beat(time.Now().UnixNano())
	}
}
