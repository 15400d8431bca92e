package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

const (
	// maxRunning is the number of requests that are processed at once; streams do not count.
	maxRunning = 512

	// replyTimeout is the time that a client has to read an answer.
	replyTimeout = 30 * time.Second
)

// Node is the running node as commands use it. Its methods are safe for concurrent use and return the errors of the
// supervisor package.
type Node interface {
	Identity() crypto.NodeIdentity
	Version() string
	Resolve(nameOrPrefix string) (string, error)
	Status(ctx context.Context) (supervisor.Status, error)
	Member() string
	Home(peer string) string
	AskMembers(ctx context.Context, question []byte, names ...string) []supervisor.MemberAnswer
	PeerPage(ctx context.Context, q supervisor.PeerQuery) (supervisor.PeerPage, error)
	KnownPeers() int
	Load() supervisor.Load
	Connect(ctx context.Context, address string) (Connected, error)
	Disconnect(ctx context.Context, peer string, forget bool) (Disconnected, error)
	DisconnectUntil(ctx context.Context, peer string, until time.Time) (Disconnected, error)
	DisconnectConnection(ctx context.Context, number uint64) (Disconnected, error)
	SendContext(ctx context.Context, peer string, message *wire.Message) error
	BroadcastToRole(ctx context.Context, role crypto.NodeRole, message *wire.Message) supervisor.BroadcastResult
	RequestContext(ctx context.Context, peer string, message *wire.Message) (*wire.Message, error)
	ResolveKey(ctx context.Context, text string) (crypto.PublicKey, error)
	Pending(ctx context.Context) ([]supervisor.PendingPeer, error)
	AllowedKeys() []supervisor.ListedKey
	RevokedKeys() []supervisor.ListedKey
	HasPins() bool
	SetAlias(peerID, name string) error
	Allow(keys ...crypto.PublicKey) error
	Revoke(keys ...crypto.PublicKey) error
	Forget(ctx context.Context, peers ...string) ([]string, error)
	ForgetUnused(ctx context.Context, rule supervisor.ForgetRule) ([]string, error)
	ForgetProtocol(peers ...string) ([]string, error)
	AuthMode() (mode supervisor.AuthMode, stored bool)
	SetAuthModeContext(ctx context.Context, mode supervisor.AuthMode) (disconnected int, err error)
	Reload(ctx context.Context) (Reloaded, error)
	Configuration() Configuration
	Report(ctx context.Context) ([]byte, error)
	Members() ([]output.Member, error)
	DrainPeers(ctx context.Context, wait bool) (Drained, error)
	Watch(filter feed.Filter, text bool) (*feed.Stream, error)
	HandleType(kind string) (*feed.Stream, error)
}

// Handler answers the requests of commands and other programs. It validates every request before it calls the node.
type Handler struct {
	node    Node
	maxBody atomic.Int64
	paths   map[string]map[string]Operation // by path and method
	running chan struct{}                   // a value for each request in process
	now     func() time.Time
}

// NewHandler returns the handler for a node that accepts messages of maxMessageSize bytes.
func NewHandler(node Node, maxMessageSize int64) *Handler {
	h := &Handler{
		node: node, paths: make(map[string]map[string]Operation), running: make(chan struct{}, maxRunning), now: time.Now,
	}
	h.SetMaxMessageSize(maxMessageSize)
	for _, o := range h.Operations() {
		if h.paths[o.Path] == nil {
			h.paths[o.Path] = make(map[string]Operation)
		}
		h.paths[o.Path][o.Method] = o
	}
	return h
}

// SetMaxMessageSize changes the maximum message size. Safe for concurrent use.
func (h *Handler) SetMaxMessageSize(bytes int64) { h.maxBody.Store(bytes + bodySlack) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	methods, known := h.paths[r.URL.Path]
	operation, possible := methods[r.Method]
	switch {
	case fromBrowser(r):
		reply(w, nil, usage("requests of web pages are refused: a page of any website could send them"))
		return
	case !known:
		reply(w, nil, &Error{Code: CodeUnknownPath, Message: fmt.Sprintf("no path %.128q", r.URL.Path), Advice: pathAdvice})
		return
	case !possible:
		allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		w.Header().Set("Allow", allowed)
		reply(w, nil, &Error{
			Code: CodeWrongMethod, Message: fmt.Sprintf("%s has no method %.16q: use %s", r.URL.Path, r.Method, allowed),
		})
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err == nil {
		err = operation.check(query)
	} else {
		err = usage("the parameters cannot be decoded: %v", err)
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	operation.serve(w, r, query)
}

// fromBrowser reports whether a browser sent the request. No browser can open the socket, but a program may forward a
// TCP port to it; then every website could send requests there. Browsers set one of the headers in each request.
func fromBrowser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

// counted returns a handler that refuses a request while maxRunning others are processed.
func (h *Handler) counted(
	do func(w http.ResponseWriter, r *http.Request, query url.Values) (answer any, err error),
) serveFunc {
	return func(w http.ResponseWriter, r *http.Request, query url.Values) {
		select {
		case h.running <- struct{}{}:
			defer func() { <-h.running }()
		default:
			w.Header().Set("Retry-After", "1")
			reply(w, nil, &Error{
				Code: CodeBusy, Message: fmt.Sprintf("%d requests are in process, the most at once", maxRunning),
				Advice: "wait for one of them, or give them shorter timeouts",
			})
			return
		}
		answer, err := do(w, r, query)
		reply(w, answer, err)
	}
}

// reply writes the answer, or err if it is not nil.
func reply(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	var body []byte
	if err == nil {
		body, err = wire.MarshalJSON(answer)
	}
	if err != nil {
		failure := *explain(err)
		failure.Advice = cmp.Or(failure.Advice, Advice(failure.Code))
		status = failure.Code.Status()
		body, _ = wire.MarshalJSON(failure) // only strings: cannot fail
	}
	// Without a deadline, a client that does not read would hold the connection forever. serveStream sets its own.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(replyTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(printable.EscapeJSON(body)) // fails if the client has gone
}
