package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/wire"
)

// ErrStreamEnded means that the node has stopped and its event stream has ended.
var ErrStreamEnded = errors.New("the node has stopped")

// EventsRequest selects the events of a stream, as feed.Filter does.
type EventsRequest struct {
	Events []string
	Types  []string
	Peer   string // node ID, prefix or name
	Text   bool   // lines for people instead of JSON
}

// HandleRequest asks for the messages of one type, as their only handler.
type HandleRequest struct {
	Type string `json:"type"`
}

// EventNames returns the names of the events that a stream can select.
func EventNames() []string {
	return []string{
		"peer_up", "peer_verified", "peer_moved", "peer_down", "peer_refused", "dropped", "identity_conflict",
		"downgrade_refused", "message", "dial_failed", "stopped",
	}
}

// events serves GET /v1/events.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	filter, text, err := h.filter(r.URL.Query())
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
			if text = values[0] == "text"; !text && values[0] != "json" {
				return filter, false, usage("format %.64q: must be json or text", values[0])
			}
		default:
			return filter, false, usage("unknown parameter %.64q: events, type, peer and format exist", key)
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
func (h *Handler) handle(w http.ResponseWriter, r *http.Request) {
	var question HandleRequest
	err := decode(http.MaxBytesReader(w, r.Body, bodySlack), &question)
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
// the client.
func serveStream(w http.ResponseWriter, r *http.Request, stream *feed.Stream) {
	defer stream.Close()
	out := http.NewResponseController(w)
	// Without it, a client that does not read would hold up the end of the server.
	defer context.AfterFunc(r.Context(), func() { _ = out.SetWriteDeadline(time.Now()) })()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, err := io.WriteString(w, ": open\n\n")
	for err == nil {
		if err = out.Flush(); err != nil {
			return
		}
		var item feed.Item
		if item, err = stream.Next(r.Context()); err != nil {
			return
		}
		_, err = w.Write(slices.Concat([]byte("event: "+item.Name+"\ndata: "), item.Line, []byte("\n\n")))
	}
}

// Events calls each with the name and the line of every event, until each returns false, ctx ends or the node stops.
// The error is nil after each returned false, else ErrStreamEnded, ctx's or the cause.
func (c *Client) Events(ctx context.Context, q EventsRequest, each func(name string, line []byte) bool) error {
	query := url.Values{"type": q.Types, "format": {"json"}}
	if len(q.Events) > 0 {
		query.Set("events", strings.Join(q.Events, ","))
	}
	if q.Peer != "" {
		query.Set("peer", q.Peer)
	}
	if q.Text {
		query.Set("format", "text")
	}
	return c.stream(ctx, http.MethodGet, "events?"+query.Encode(), nil, func() {}, each)
}

// Handle calls opened, and then each with every message of a type, as Events does, as its only handler.
func (c *Client) Handle(
	ctx context.Context, q HandleRequest, opened func(), each func(name string, line []byte) bool,
) error {
	body, err := wire.MarshalJSON(q)
	if err != nil {
		return err
	}
	return c.stream(ctx, http.MethodPost, "handle", body, opened, each)
}

func (c *Client) stream(
	ctx context.Context, method, verb string, body []byte, opened func(), each func(name string, line []byte) bool,
) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://node/v1/"+verb, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.ended(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			return c.ended(ctx, err)
		}
		return failure(response, raw)
	}
	opened()
	if err := readEvents(bufio.NewReader(response.Body), each); err != nil {
		return c.ended(ctx, err)
	}
	return nil
}

// ended returns the error of a stream: ctx's, ErrStreamEnded or the cause.
func (c *Client) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrStreamEnded
	}
	return c.unreachable(err)
}

// readEvents reads server-sent events with one line of data each.
func readEvents(r *bufio.Reader, each func(name string, line []byte) bool) error {
	var name string
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if text, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			name = string(text)
		} else if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && !each(name, data) {
			return nil
		}
	}
}
