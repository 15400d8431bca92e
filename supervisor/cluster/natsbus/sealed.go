package natsbus

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/cluster"
)

// startWithin is the time in which a member must prove that it runs.
const startWithin = 2 * time.Second

// sealed is the part of a bus that seals bodies and refuses replayed ones. Safe for concurrent use.
type sealed struct {
	bus           *Bus
	sealer        *sealer
	streams       *streams
	starts        string // prefix of the subjects on which members prove that they run
	subscriptions atomic.Uint64

	ctx    context.Context // ends the questions
	cancel context.CancelFunc
	group  sync.WaitGroup
}

func newSealed(b *Bus, seal *sealer, starts string) *sealed {
	s := &sealed{bus: b, sealer: seal, starts: starts}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.streams = newStreams(seal.own, func(from stream) { s.group.Go(func() { s.ask(from) }) })
	return s
}

// listen answers the questions of other members whether this start of the member runs. The questions need no proof: an
// answer is of use to its question only.
func (s *sealed) listen() error {
	_, err := s.bus.client.Subscribe(s.startOf(s.sealer.own), func(m *nats.Msg) {
		if _, _, _, err := s.sealer.open(m.Subject, m.Data); err != nil {
			s.bus.refused(err)
			return
		}
		if respond := s.bus.responder(m.Reply, answerTo(m.Data)); respond != nil {
			respond(nil)
		}
	})
	return err
}

func (s *sealed) startOf(from stream) string { return s.starts + hex.EncodeToString(from[:]) }

// ask lets a start of a member prove that it runs.
func (s *sealed) ask(from stream) {
	ctx, cancel := context.WithTimeout(s.ctx, startWithin)
	defer cancel()
	_, by, number, err := s.request(ctx, s.startOf(from), nil)
	if err != nil || by != from {
		s.streams.silent(from)
		return
	}
	s.streams.proven(from, number)
}

// close ends the questions.
func (s *sealed) close() {
	s.cancel()
	s.group.Wait()
}

// request returns the answer to a sealed request, and which number of which stream it is.
func (s *sealed) request(
	ctx context.Context, subject string, body []byte,
) (answer []byte, from stream, number uint64, err error) {
	question := s.sealer.seal(subject, body)
	text, err := s.bus.exchange(ctx, subject, question)
	if err != nil {
		return nil, from, 0, err
	}
	if answer, from, number, err = s.sealer.open(answerTo(question), text); err != nil {
		s.bus.refused(err)
		<-ctx.Done() // as if the answer was lost
		return nil, from, 0, ctx.Err()
	}
	return answer, from, number, nil
}

// receiver returns the function that handles the messages of a subscription, and the one to call after its end.
func (s *sealed) receiver(handle func(cluster.Delivery)) (receive func(*nats.Msg), ended func()) {
	subscription := s.subscriptions.Add(1)
	receive = func(m *nats.Msg) {
		body, from, number, err := s.sealer.open(m.Subject, m.Data)
		if err == nil {
			err = s.streams.accept(subscription, from, number)
		}
		switch {
		case errors.Is(err, errOld): // also the first messages of a member that has started
			s.bus.dropped(actors.ClusterDroppedRefused)
		case errors.Is(err, errReplay):
			s.bus.dropped(actors.ClusterDroppedRefused)
			s.bus.warnRefused(err)
		case err != nil:
			s.bus.refused(err)
		default:
			handle(cluster.Delivery{Body: body, Respond: s.bus.responder(m.Reply, answerTo(m.Data))})
		}
	}
	return receive, func() { s.streams.drop(subscription) }
}
