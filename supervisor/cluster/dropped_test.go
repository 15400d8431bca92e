package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Each message of another member that is not processed is counted once, by its reason.
func TestEachDroppedMessageOfAMemberIsCounted(t *testing.T) {
	const malformed, format, refused = actors.ClusterDroppedMalformed, actors.ClusterDroppedVersion,
		actors.ClusterDroppedRefused
	of := func(k kind, from string) []byte { return (&message{head: head{k, from, 1}}).encode() }
	later, none := of(kindHeartbeat, "a"), of(kindHeartbeat, "a")
	later[0]++
	none[0] = 0
	tests := []struct {
		name   string
		body   []byte
		reason actors.Counter
		to     func(r *coordinatorRig, body []byte)
	}{
		{"later version", later, format, (*coordinatorRig).hearBytes},
		{"no version", none, malformed, (*coordinatorRig).hearBytes},
		{"unknown kind", of(200, "a"), format, (*coordinatorRig).hearBytes},
		{"kind of another subject", of(kindCheck, "a"), refused, (*coordinatorRig).hearBytes},
		{"own name", of(kindHeartbeat, "self"), refused, (*coordinatorRig).hearBytes},
		{"batch without an end", of(kindBatch, "a"), malformed, (*coordinatorRig).forwarded},
		{"batch of a later version", later, format, (*coordinatorRig).forwarded},
		{"unknown kind of a batch", of(200, "a"), format, (*coordinatorRig).forwarded},
		{"batch of the own name", batchOf("self"), refused, (*coordinatorRig).forwarded},
		{"broken result", of(kindAck, "a")[:5], malformed, (*coordinatorRig).acknowledged},
		{"result of a later version", later, format, (*coordinatorRig).acknowledged},
		{"result without messages", ackTo(9), refused, (*coordinatorRig).acknowledged},
		{"broken check", of(kindCheck, "a")[:4], malformed, (*coordinatorRig).checked},
		{"check of a later version", later, format, (*coordinatorRig).checked},
		{"no check", of(kindChecked, "a"), format, (*coordinatorRig).checked},
		{"broken question about the book", of(kindBookPut, "a")[:4], malformed, (*coordinatorRig).aboutBook},
		{"no question about the book", of(kindBookDone, "a"), format, (*coordinatorRig).aboutBook},
		{"question about the book without an answer", of(kindBookSumsAsk, "a"), refused, (*coordinatorRig).toldBook},
		{"question of a later version", later, format, (*coordinatorRig).asked},
		{"long question", append([]byte{version}, make([]byte, maxQuestion+1)...), malformed, (*coordinatorRig).asked},
		{"probe", nil, -1, (*coordinatorRig).asked},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.engine.local = r.log
			tt.to(r, tt.body)
			time.Sleep(time.Second)
			synctest.Wait()
			for _, reason := range []actors.Counter{malformed, format, refused} {
				want := int(flag(reason == tt.reason))
				if got := r.log.counts[reason]; got != want {
					t.Errorf("%s: %v is %d, want %d", tt.name, reason, got, want)
				}
			}
		})
	}
}

func batchOf(from string) []byte {
	b := append(head{kindBatch, from, 1}.appendTo(nil), 1)
	one := entry{peer: "p", form: []byte{1}}
	return one.appendTo(b)
}

func ackTo(boot uint64) []byte { return (&ack{head: head{kindAck, "a", 1}, to: boot}).encode() }

func (r *coordinatorRig) hearBytes(body []byte)    { r.onHeard(&heard{body: body}) }
func (r *coordinatorRig) forwarded(body []byte)    { r.engine.forwarder.onForwarded(body) }
func (r *coordinatorRig) acknowledged(body []byte) { r.engine.forwarder.onAck(body) }
func (r *coordinatorRig) checked(body []byte) {
	r.engine.onCheck(Delivery{Body: body, Respond: func([]byte) {}})
}

func (r *coordinatorRig) aboutBook(body []byte) {
	r.engine.onBook(Delivery{Body: body, Respond: func([]byte) {}})
}

func (r *coordinatorRig) toldBook(body []byte) { r.engine.onBook(Delivery{Body: body}) }

func (r *coordinatorRig) asked(body []byte) {
	r.engine.onAsk(r.log, Delivery{Body: body, Respond: func([]byte) {}})
}
