package admin

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/Snider/go-p2p/supervisor"
)

// treePath is the path of the supervision tree's connections, which the dashboard asks for while the tree is open.
const treePath = "/tree"

const (
	maxTreeRequests = 2    // in parallel
	maxTreeRead     = 1000 // connections that the registry returns for one request
	maxTree         = 100  // connections in the answer
)

// treeView is the part of the tree that every tick contains.
type treeView struct {
	Registry string `json:"registry"`
	Restarts uint64 `json:"restarts"`
	Stopped  uint64 `json:"stopped"`
	Total    int    `json:"total"`
}

// actorView is the JSON of one connection's actor.
type actorView struct {
	Actor     string `json:"actor"`
	Peer      string `json:"peer"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	State     string `json:"state"`
	Route     bool   `json:"route"`
	Since     int64  `json:"since"`
}

func (v *view) addTree(ctx context.Context, node Node) {
	tree, err := node.Tree(ctx, 0)
	if err != nil {
		return
	}
	v.Tree = treeView{Registry: tree.Registry, Restarts: tree.Restarts, Stopped: tree.Stopped, Total: tree.Total}
}

// treeHandler returns at most maxTree connections as a JSON array: those in an unusual state first, then the oldest.
func treeHandler(node Node) http.HandlerFunc {
	running := make(chan struct{}, maxTreeRequests)
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case running <- struct{}{}:
			defer func() { <-running }()
		default:
			http.Error(w, "too many requests for the tree", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
		defer cancel()
		tree, err := node.Tree(ctx, maxTreeRead)
		if err != nil {
			http.Error(w, "the node does not answer", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(encode(actorViews(tree.Connections))) // the client has left otherwise
	}
}

func actorViews(connections []supervisor.ConnectionActor) []actorView {
	usual := func(c supervisor.ConnectionActor) int {
		if c.State == supervisor.ConnectionVerified && c.Route {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(connections, func(a, b supervisor.ConnectionActor) int {
		return cmp.Compare(usual(a), usual(b))
	})
	list := []actorView{}
	for _, c := range connections[:min(len(connections), maxTree)] {
		list = append(list, actorView{
			Actor: c.Actor, Peer: c.Peer, Name: name(c.Name), Direction: c.Direction.String(),
			State: string(c.State), Route: c.Route, Since: c.Since.UnixMilli(),
		})
	}
	return list
}
