package blackbox

import (
	"fmt"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// node is a running `node run`, built with the race detector.
type node struct {
	*nodetest.Process
	t *testing.T
}

// event is one line of `node run --output json`.
type event = nodetest.Event

// start runs a node with a home of its own on a free loopback port and waits until it listens.
func start(t *testing.T, args ...string) *node {
	t.Helper()
	return startWith(t, nodetest.ProcessOptions{}, args...)
}

// startIn runs a node in a home that an earlier node may have used.
func startIn(t *testing.T, home string, args ...string) *node {
	t.Helper()
	return startWith(t, nodetest.ProcessOptions{Home: home}, args...)
}

// startLimited runs a node with a limit of open file descriptors.
func startLimited(t *testing.T, descriptors int, args ...string) *node {
	t.Helper()
	limit := []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors)}
	return startWith(t, nodetest.ProcessOptions{Under: limit}, args...)
}

func startWith(t *testing.T, o nodetest.ProcessOptions, args ...string) *node {
	t.Helper()
	o.Race = true
	return &node{nodetest.StartProcess(t, o, args...), t}
}

// missing lists the keys that an object should have and does not have.
func missing(object map[string]any, keys ...string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		_, ok := object[key]
		return ok
	})
}
