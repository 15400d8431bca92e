package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/spf13/cobra"
)

// stopShare is the share of the shutdown timeout that the stop has after a drain that took the rest.
const stopShare = 5

var errNoTaker = errors.New("no other member is alive that could take the peers: start one first, or stop this node")

func (a *app) drainCommand() *cobra.Command {
	var request control.DrainRequest
	timeout := span{time.Minute}
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Move the peers of this member to the other members",
		Long: "Move the peers of this member to the other members of the node (see 'node members'), before its stop. It\n" +
			"admits and dials no further peer, /readyz answers 503, and after two seconds each peer is told to connect again\n" +
			"(code 1001). The command returns at once, with --wait when all were told. It cannot be undone: stop the node\n" +
			"afterwards. SIGTERM does the same within --shutdown-timeout.",
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, client, err := a.client(cmd)
			if err != nil {
				return err
			}
			request.TimeoutMs = timeout.milliseconds()
			result, err := client.Drain(cmd.Context(), request)
			if err != nil {
				return explain(err, s.DataDir, "drain")
			}
			return a.print(s, result, func(w io.Writer) { writeDrained(w, result) })
		},
	}
	cmd.Flags().BoolVar(&request.Wait, "wait", false, "return when all peers were told")
	cmd.Flags().Var(&timeout, "timeout", "time for --wait")
	return cmd
}

func writeDrained(w io.Writer, result control.Drained) {
	open := fmt.Sprintf("%d %s open", result.Connections, plural(result.Connections, "connection is", "connections are"))
	if !result.Done {
		fmt.Fprintf(w, "%s drains: %s\n", result.Member, open)
		return
	}
	fmt.Fprintf(w, "%s is drained: %s, stop it now\n", result.Member, open)
}

// DrainPeers implements control.Node.
func (n *node) DrainPeers(ctx context.Context, wait bool) (control.Drained, error) {
	if n.cluster == nil {
		return control.Drained{}, errAlone
	}
	if !supervisor.OthersAlive(n.cluster.engine.Members()) {
		return control.Drained{}, errNoTaker
	}
	n.beginDrain()
	answer := control.Drained{Member: n.cluster.engine.Name()}
	if wait {
		select {
		case <-n.cluster.drained:
		case <-ctx.Done():
			return answer, ctx.Err()
		}
	}
	select {
	case <-n.cluster.drained:
		answer.Done = true
	default:
	}
	status, err := n.Status(ctx)
	answer.Connections = status.Connections.Established
	return answer, err
}

// beginDrain starts the drain, once.
func (n *node) beginDrain() {
	n.cluster.draining.Do(func() {
		go func() {
			defer close(n.cluster.drained)
			if err := n.Drain(context.Background()); err != nil && !errors.Is(err, supervisor.ErrStopped) {
				n.log.Warn("drain", "error", err)
			}
		}()
	})
}

// drainBefore drains a member before its stop, until a share of the time is left for the stop. A node that is alone, or
// without another living member, stops at once.
func (n *node) drainBefore(ctx context.Context) {
	if n.cluster == nil {
		return
	}
	n.beginDrain()
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	select {
	case <-n.cluster.drained:
	case <-time.After(left - left/stopShare):
	}
}
