package control

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

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
