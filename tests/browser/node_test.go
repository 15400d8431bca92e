package browser

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

const patience = nodetest.Patience

// node is a running `node run --stdin`.
type node struct{ *nodetest.Process }

// run starts a node in a home and returns once it listens.
func run(t *testing.T, home, name string, args ...string) *node {
	t.Helper()
	all := append([]string{"--stdin", "--name", name, "--ping-interval", "1s"}, args...)
	return &node{nodetest.StartProcess(t, nodetest.ProcessOptions{Home: home}, all...)}
}

// send sends a chat message to a peer, or to all peers if peer is empty.
func (n *node) send(peer, text string) {
	to := ""
	if peer != "" {
		to = fmt.Sprintf(`"to":%q,`, peer)
	}
	_, _ = fmt.Fprintf(n.Stdin, `{%s"payload":%q}`+"\n", to, text) // the end of a node shows in its events
}
