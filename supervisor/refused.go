package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
)

// refusedEvery is the shortest time between two PeerRefused events of one reason.
const refusedEvery = time.Second

// refusals limits the PeerRefused events: strangers cause them. The reasons are those of judgePeer, so the map is
// small.
type refusals map[refusal]*refusedState

type refusedState struct {
	reported time.Time // last event
	omitted  int       // refusals since then
}

// admit reports whether an event of a reason is due, and how many refusals were omitted since the last one.
func (r refusals) admit(why refusal, now time.Time) (omitted int, due bool) {
	state := r[why]
	if state == nil {
		r[why] = &refusedState{reported: now}
		return 0, true
	}
	if now.Sub(state.reported) < refusedEvery {
		state.omitted++
		return 0, false
	}
	omitted = state.omitted
	*state = refusedState{reported: now}
	return omitted, true
}

// reportRefused publishes PeerRefused for an identified peer, at most once per second for each reason.
func (r *registry) reportRefused(s *slot, msg *actors.Identified, why refusal) {
	omitted, due := r.refusals.admit(why, time.Now())
	if !due {
		return
	}
	r.nodeEvents.Event(PeerRefused{
		Peer: msg.Identity.ID, Key: msg.Key, Name: msg.Identity.Name, Address: msg.Remote,
		Direction: s.direction, Reason: string(why), Omitted: omitted,
	})
}
