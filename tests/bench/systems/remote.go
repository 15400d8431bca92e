package systems

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// remoteNode is protoactor's own remoting, which sends requests to actors over gRPC. It measures round trips only.
type remoteNode struct {
	system *actor.ActorSystem
	remote *remote.Remote
}

func newRemote() Node {
	system := quietSystem()
	n := &remoteNode{system: system, remote: remote.NewRemote(system, remote.Configure("127.0.0.1", 0))}
	n.remote.Start()
	return n
}

func (n *remoteNode) Listen() (string, error) {
	echo := actor.PropsFromFunc(func(ctx actor.Context) {
		if question, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			ctx.Respond(&wrapperspb.StringValue{Value: question.Value})
		}
	})
	_, err := n.system.Root.SpawnNamed(echo, "echo")
	return n.system.Address(), err
}

func (n *remoteNode) Dial(address string) (Link, error) {
	return &remoteLink{node: n, echo: actor.NewPID(address, "echo")}, nil
}

func (n *remoteNode) Broadcast(int) error { return errNotMeasured }
func (n *remoteNode) Peers() int          { return 0 }
func (n *remoteNode) Tally() *Tally       { return NewTally() }
func (n *remoteNode) Close()              { n.remote.Shutdown(false) }

type remoteLink struct {
	node *remoteNode
	echo *actor.PID
}

func (l *remoteLink) Stream(int, int) error { return errNotMeasured }

func (l *remoteLink) Ask(size int) error {
	question := &wrapperspb.StringValue{Value: strings.Repeat("x", size)}
	answer, err := l.node.system.Root.RequestFuture(l.echo, question, 10*time.Second).Result()
	if err != nil {
		return err
	}
	if text, ok := answer.(*wrapperspb.StringValue); !ok || len(text.Value) != size {
		return fmt.Errorf("unexpected answer %v", answer)
	}
	return nil
}

// quietSystem returns an actor system without a log, because protoactor would log messages.
func quietSystem() *actor.ActorSystem {
	quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
	return actor.NewActorSystem(actor.WithLoggerFactory(quiet))
}
