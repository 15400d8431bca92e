package supervisor

import "context"

// awaitFirstDials asks to be answered with firstDialsDone once each address that is kept connected has been dialled.
type awaitFirstDials struct{}

type firstDialsDone struct{}

func (*awaitFirstDials) fromTransport() {}

// AwaitFirstDials returns once the first dial of each address that the node keeps connected has succeeded or failed:
// those of TransportConfig.Peers, of ConnectAddress and of the peer book. A dial takes at most HandshakeTimeout. The
// error is ErrStopped or ctx's.
func (t *Transport) AwaitFirstDials(ctx context.Context) error {
	_, err := ask[*firstDialsDone](ctx, t, &awaitFirstDials{})
	return err
}

func (r *registry) onAwaitFirstDials() {
	r.awaitDials = append(r.awaitDials, r.takeReply())
	r.answerFirstDials()
}

// markDialled notes that the first dial of a target has ended.
func (r *registry) markDialled(t *dialTarget) {
	if !t.dialled {
		t.dialled = true
		r.answerFirstDials()
	}
}

// answerFirstDials answers the callers of AwaitFirstDials if no first dial is under way.
func (r *registry) answerFirstDials() {
	if len(r.awaitDials) == 0 {
		return
	}
	for _, t := range r.targets {
		if t.keep && !t.dialled && t.state == dialing {
			return
		}
	}
	for _, reply := range r.awaitDials {
		reply(&firstDialsDone{})
	}
	r.awaitDials = nil
}
