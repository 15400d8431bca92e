package control

import (
	"context"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func (h *Handler) forget(ctx context.Context, q ForgetRequest) (answer Forgotten, err error) {
	ctx, cancel, _ := limited(ctx, 0)
	defer cancel()
	byRule := q.Unverified || q.OlderMs != 0
	switch {
	case q.OlderMs < 0 || q.OlderMs > maxTimeout.Milliseconds():
		return answer, usage("olderMs %d: must be from 1 to %d", q.OlderMs, maxTimeout.Milliseconds())
	case len(q.Peers) == 0 && !byRule:
		return answer, usage("the request names no peer")
	case byRule && (len(q.Peers) > 0 || q.Pin):
		return answer, usage("unverified and olderMs exclude peers and pin")
	}
	answer.Pin = q.Pin
	if byRule {
		rule := supervisor.ForgetRule{Unverified: q.Unverified}
		if q.OlderMs > 0 {
			rule.Before = h.now().Add(-time.Duration(q.OlderMs) * time.Millisecond)
		}
		answer.Forgotten, err = h.node.ForgetUnused(ctx, rule)
		return answer.neverNil(), err
	}
	ids := make([]string, 0, len(q.Peers))
	for _, name := range q.Peers {
		id, err := h.resolve(name)
		if err != nil {
			return answer, err
		}
		ids = append(ids, id)
	}
	if q.Pin {
		answer.Forgotten, err = h.node.ForgetProtocol(ids...)
	} else {
		answer.Forgotten, err = h.node.Forget(ctx, ids...)
	}
	return answer.neverNil(), err
}

func (f Forgotten) neverNil() Forgotten {
	f.Forgotten = append([]string{}, f.Forgotten...)
	return f
}
