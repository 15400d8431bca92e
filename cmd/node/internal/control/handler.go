package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Node is the running node as commands use it. Its methods are safe for concurrent use and return the errors of the
// supervisor package.
type Node interface {
	Identity() crypto.NodeIdentity
	Version() string
	Resolve(nameOrPrefix string) (string, error)
	Status(ctx context.Context) (supervisor.Status, error)
	Peers(ctx context.Context) ([]supervisor.PeerInfo, error)
	KeptAddresses(ctx context.Context) ([]supervisor.DialInfo, error)
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
	Watch(filter feed.Filter, text bool) (*feed.Stream, error)
	HandleType(kind string) (*feed.Stream, error)
}

// Handler answers the requests of commands. It validates every request before it calls the node.
type Handler struct {
	node    Node
	maxBody atomic.Int64
	mux     *http.ServeMux
	now     func() time.Time
}

// NewHandler returns the handler for a node that accepts messages of maxMessageSize bytes.
func NewHandler(node Node, maxMessageSize int64) *Handler {
	h := &Handler{node: node, mux: http.NewServeMux(), now: time.Now}
	h.SetMaxMessageSize(maxMessageSize)
	h.mux.HandleFunc("GET /v1/status", get(h.status))
	h.mux.HandleFunc("GET /v1/peers", get(h.peers))
	h.mux.HandleFunc("GET /v1/known", get(h.known))
	h.mux.HandleFunc("GET /v1/auth", get(h.auth))
	h.mux.HandleFunc("GET /v1/config", get(func(context.Context) (Configuration, error) {
		return h.node.Configuration(), nil
	}))
	h.mux.HandleFunc("GET /v1/allowlist", get(h.allowlist))
	h.mux.HandleFunc("GET /v1/pending", get(h.pending))
	h.mux.HandleFunc("POST /v1/alias", post(h, h.alias))
	h.mux.HandleFunc("GET /v1/events", h.events)
	h.mux.HandleFunc("POST /v1/handle", h.handle)
	h.mux.HandleFunc("POST /v1/auth", post(h, h.setAuth))
	h.mux.HandleFunc("POST /v1/connect", post(h, h.connect))
	h.mux.HandleFunc("POST /v1/disconnect", post(h, h.disconnect))
	h.mux.HandleFunc("POST /v1/send", post(h, h.send))
	h.mux.HandleFunc("POST /v1/broadcast", post(h, h.broadcast))
	h.mux.HandleFunc("POST /v1/request", post(h, h.request))
	h.mux.HandleFunc("POST /v1/ping", post(h, h.ping))
	h.mux.HandleFunc("POST /v1/resolve", post(h, h.resolved))
	h.mux.HandleFunc("POST /v1/allow", post(h, h.allow))
	h.mux.HandleFunc("POST /v1/revoke", post(h, h.revoke))
	h.mux.HandleFunc("POST /v1/forget", post(h, h.forget))
	h.mux.HandleFunc("POST /v1/reload", post(h, h.reload))
	return h
}

// SetMaxMessageSize changes the maximum message size. Safe for concurrent use.
func (h *Handler) SetMaxMessageSize(bytes int64) { h.maxBody.Store(bytes + bodySlack) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// get returns a handler for requests without a body.
func get[Answer any](do func(context.Context) (Answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), defaultTimeout)
		defer cancel()
		answer, err := do(ctx)
		reply(w, answer, err)
	}
}

// post returns a handler for requests with a JSON body.
func post[Question, Answer any](h *Handler, do func(context.Context, Question) (Answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var question Question
		if err := decode(http.MaxBytesReader(w, r.Body, h.maxBody.Load()), &question); err != nil {
			reply(w, nil, err)
			return
		}
		answer, err := do(r.Context(), question)
		reply(w, answer, h.sized(err))
	}
}

// decode reads one JSON value into v. Unknown keys and further values are errors.
func decode(body io.Reader, v any) error {
	data, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return TooLarge(tooLarge.Limit - bodySlack)
	case err != nil:
		return usage("the request is incomplete: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return usage("the request cannot be decoded: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return usage("the request has more than one JSON value")
	}
	return nil
}

// reply writes the answer, or err if it is not nil.
func reply(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	var body []byte
	if err == nil {
		body, err = wire.MarshalJSON(answer)
	}
	if err != nil {
		failure := explain(err)
		status = failure.status()
		body, _ = wire.MarshalJSON(failure) // only strings: cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the command has ended
}

func usage(format string, args ...any) *Error {
	return &Error{Code: CodeUsage, Message: fmt.Sprintf(format, args...)}
}

// explain converts an error of the node to an Error with its code. It drops the peer of a PeerError, which the command
// names itself.
func explain(err error) *Error {
	if known := (*Error)(nil); errors.As(err, &known) {
		return known
	}
	if about := (*supervisor.PeerError)(nil); errors.As(err, &about) {
		err = about.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Code: CodeTimeout, Message: "no answer in time"}
	}
	if errors.Is(err, supervisor.ErrNoRoom) {
		return &Error{
			Code: CodeFailed, Advice: noRoomAdvice, Message: "no free connection: --max-conns of this node is reached",
		}
	}
	if remote := (*wire.RemoteError)(nil); errors.As(err, &remote) {
		return &Error{Code: CodeRemote, RemoteCode: remote.Code, Message: remote.Error()}
	}
	if errors.Is(err, feed.ErrHandled) {
		return &Error{Code: CodeConflict, Message: err.Error(), Advice: handledAdvice}
	}
	for _, kind := range []struct {
		is   error
		code Code
	}{
		{supervisor.ErrUnknownPeer, CodeUnknownPeer},
		{supervisor.ErrAmbiguousPeer, CodeAmbiguous},
		{supervisor.ErrClaimedName, CodeClaimedName},
		{supervisor.ErrAlias, CodeUsage},
		{supervisor.ErrAliasTaken, CodeUsage},
		{supervisor.ErrNotConnected, CodeNotConnected},
		{supervisor.ErrRefused, CodeRefused},
		{supervisor.ErrRevoked, CodeRefused},
		{supervisor.ErrSuspended, CodeRefused},
		{supervisor.ErrSessionRequired, CodeRefused},
		{supervisor.ErrInvalidMessage, CodeUsage},
		{supervisor.ErrTooLarge, CodeTooLarge},
		{supervisor.ErrQueueFull, CodeQueueFull},
		{supervisor.ErrWriteTimeout, CodeTimeout},
		{supervisor.ErrPaced, CodeTimeout},
		{supervisor.ErrHandshakeTimeout, CodeTimeout},
		{supervisor.ErrClosed, CodeNotConnected},
	} {
		if errors.Is(err, kind.is) {
			return &Error{Code: kind.code, Message: output.ErrorText(err)}
		}
	}
	return &Error{Code: CodeFailed, Message: output.ErrorText(err)}
}

func (e *Error) status() int {
	switch e.Code {
	case CodeUsage, CodeAmbiguous, CodeClaimedName:
		return http.StatusBadRequest
	case CodeUnknownPeer:
		return http.StatusNotFound
	case CodeNotConnected, CodeRefused, CodeConflict:
		return http.StatusConflict
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeQueueFull:
		return http.StatusTooManyRequests
	case CodeTimeout:
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}
