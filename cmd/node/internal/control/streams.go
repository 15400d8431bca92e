package control

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
)

// heartbeat is the longest time without a byte on a stream, so that a client can notice a node that hangs.
const heartbeat = 15 * time.Second

// EventNames returns the names of the events that a stream can select. A stream reports feed.Lost and the last event,
// stopped, also if it does not select them. The event listening precedes every stream and is none of them.
func EventNames() []string {
	return []string{
		"peer_up", "peer_verified", "peer_moved", "peer_down", "peer_refused", "dropped", "identity_conflict",
		"downgrade_refused", "message", "dial_failed", feed.Lost, "stopped",
	}
}

// events serves GET /v1/events.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, query url.Values) {
	filter, text, err := h.filter(query)
	if err != nil {
		reply(w, nil, err)
		return
	}
	stream, err := h.node.Watch(filter, text)
	if err != nil {
		reply(w, nil, err)
		return
	}
	serveStream(w, r, stream)
}

func (h *Handler) filter(query url.Values) (filter feed.Filter, text bool, err error) {
	for key, values := range query {
		switch key {
		case "events":
			for _, list := range values {
				filter.Events = append(filter.Events, strings.Split(list, ",")...)
			}
		case "type":
			filter.Types = append(filter.Types, values...)
		case "peer":
			if filter.Peer, err = h.resolve(values[0]); err != nil {
				return filter, false, err
			}
		case "format":
			text = values[0] == "text"
		}
	}
	for _, name := range filter.Events {
		if !slices.Contains(EventNames(), name) {
			return filter, false, usage("event %.64q: must be one of %s", name, strings.Join(EventNames(), ", "))
		}
	}
	for _, kind := range filter.Types {
		if err := checkType(kind); err != nil {
			return filter, false, err
		}
	}
	return filter, text, nil
}

// handle serves POST /v1/handle.
func (h *Handler) handle(w http.ResponseWriter, r *http.Request, _ url.Values) {
	var question HandleRequest
	err := decode(http.MaxBytesReader(w, r.Body, h.maxBody.Load()), &question)
	if err == nil {
		err = checkType(question.Type)
	}
	var stream *feed.Stream
	if err == nil {
		stream, err = h.node.HandleType(question.Type)
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	serveStream(w, r, stream)
}

// serveStream writes a stream as server-sent events until it ends or the client leaves. Only this goroutine waits for
// the client, without a limit: a client that is suspended keeps its stream and loses events.
func serveStream(w http.ResponseWriter, r *http.Request, stream *feed.Stream) {
	defer stream.Close()
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // an earlier answer on the connection may have set one
	// Without this deadline, a client that does not read would delay the end of the server.
	defer context.AfterFunc(r.Context(), func() { _ = out.SetWriteDeadline(time.Now()) })()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	next := []byte(": open\n\n")
	for {
		_, err := w.Write(next)
		if err == nil {
			err = out.Flush()
		}
		if err == nil {
			next, err = nextEvent(r.Context(), stream)
		}
		if err != nil {
			return
		}
	}
}

// nextEvent returns the text of the next event, or a comment if none comes within the heartbeat.
func nextEvent(ctx context.Context, stream *feed.Stream) ([]byte, error) {
	limit, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	item, err := stream.Next(limit)
	switch {
	case err == nil:
		return slices.Concat([]byte("event: "+item.Name+"\ndata: "), item.Line, []byte("\n\n")), nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return []byte(": heartbeat\n\n"), nil
	}
	return nil, err
}
