package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Limits of questions between members.
const (
	answerWithin = 2 * time.Second // for the answer, at most
	maxQuestion  = 4 << 10         // bytes
	maxAnswer    = 1 << 20         // bytes
)

// askAnswer is the second byte of an answer, behind the version.
type askAnswer byte

const (
	askAnswered askAnswer = iota
	askFailed             // the member has no answer
)

// AskMember implements supervisor.Cluster. The question goes to a subject of the asked member alone, so that a lost
// member delays no other answer.
//
//	Engine.AskMember ──version, question──▶ m.<name>.ask ──▶ ClusterLocal.Answer ──version, askAnswer, answer──▶
func (e *Engine) AskMember(ctx context.Context, member string, question []byte) ([]byte, error) {
	if len(question) > maxQuestion {
		return nil, fmt.Errorf("a question of %d bytes: at most %d", len(question), maxQuestion)
	}
	within, cancel := e.exchanges.limit(ctx, answerWithin)
	defer cancel()
	body, err := e.bus.Request(within, e.subject("m", member, "ask"), append([]byte{version}, question...))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", supervisor.ErrUnanswered, member, err)
	case len(body) < 2 || body[0] != version || askAnswer(body[1]) != askAnswered:
		return nil, fmt.Errorf("%w: %s", supervisor.ErrUnanswered, member)
	}
	return body[2:], nil
}

// onAsk passes a question of another member on.
func (e *Engine) onAsk(local supervisor.ClusterLocal, d Delivery) {
	if d.Respond == nil {
		return
	}
	if len(d.Body) < 1 || len(d.Body) > maxQuestion+1 || d.Body[0] != version {
		if len(d.Body) > 0 { // otherwise it is a probe
			e.dropped(checkVersion(d.Body[0], version))
		}
		d.Respond([]byte{version, byte(askFailed)})
		return
	}
	local.Answer(d.Body[1:], func(answer []byte, err error) {
		if err == nil && len(answer) > maxAnswer {
			err = errors.New("the answer is too long")
		}
		if err != nil {
			e.opts.Log.Warn("a question of a member was not answered", "error", err)
			d.Respond([]byte{version, byte(askFailed)})
			return
		}
		d.Respond(append([]byte{version, byte(askAnswered)}, answer...))
	})
}
