package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/oserror"
	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/wire"
)

// ErrNoNode means that no node runs on the data directory.
var ErrNoNode = errors.New("no running node")

// grace extends the client's timeout beyond the node's, so that the node's own timeout error arrives.
const grace = 2 * time.Second

// Client sends requests to the node of one data directory. Its methods return an *Error that the node reported,
// ErrNoNode if no node runs, or an error of the connection. Safe for concurrent use.
type Client struct {
	dir  string
	http *http.Client
}

// NewClient returns a client for the node of dir. Each request opens its own connection.
func NewClient(dir string) *Client {
	return &Client{dir: dir, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, dir)
		},
	}}}
}

// Get sends a request without a body. The verb is a path below /v1/, with its parameters.
func (c *Client) Get(ctx context.Context, verb string) (json.RawMessage, error) {
	return c.do(ctx, http.MethodGet, verb, nil, defaultTimeout)
}

// Peers returns the known peers by ID, and behind them the addresses without a known peer. It reads all pages.
func (c *Client) Peers(ctx context.Context) ([]output.Peer, error) {
	peers, _, err := c.PeersOf(ctx, "")
	return peers, err
}

// PeersOf is Peers for one member of a node that several processes share; "" means all members. unanswered names the
// members whose peers are missing in at least one page.
func (c *Client) PeersOf(ctx context.Context, member string) (peers []output.Peer, unanswered []string, err error) {
	query := url.Values{}
	if member != "" {
		query.Set("member", member)
	}
	for {
		raw, err := c.Get(ctx, "peers?"+query.Encode())
		var page PeerPage
		if err == nil {
			err = json.Unmarshal(raw, &page)
		}
		if err != nil {
			return nil, nil, err
		}
		for _, name := range page.Unanswered {
			if !slices.Contains(unanswered, name) {
				unanswered = append(unanswered, name)
			}
		}
		if peers = append(peers, page.Peers...); page.Next == "" {
			return peers, unanswered, nil
		}
		query.Set("after", page.Next)
	}
}

// Connect has the node dial an address.
func (c *Client) Connect(ctx context.Context, q ConnectRequest) (Connected, error) {
	return ask[Connected](ctx, c, "connect", q, q.TimeoutMs)
}

// Disconnect has the node close the connections to a peer, or one connection.
func (c *Client) Disconnect(ctx context.Context, q DisconnectRequest) (Disconnected, error) {
	return ask[Disconnected](ctx, c, "disconnect", q, 0)
}

// Send sends one message.
func (c *Client) Send(ctx context.Context, q MessageRequest) (Sent, error) {
	return ask[Sent](ctx, c, "send", q, q.TimeoutMs)
}

// Broadcast sends one message to every connected peer.
func (c *Client) Broadcast(ctx context.Context, q BroadcastRequest) (Broadcasted, error) {
	return ask[Broadcasted](ctx, c, "broadcast", q, q.TimeoutMs)
}

// Request sends a message and returns the envelope of the reply.
func (c *Client) Request(ctx context.Context, q MessageRequest) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, c, "request", q, q.TimeoutMs)
}

// Resolve returns the node ID of a peer, connected or not.
func (c *Client) Resolve(ctx context.Context, q ResolveRequest) (Resolved, error) {
	return ask[Resolved](ctx, c, "resolve", q, 0)
}

// Ping measures one round trip.
func (c *Client) Ping(ctx context.Context, q PingRequest) (RoundTrip, error) {
	return ask[RoundTrip](ctx, c, "ping", q, q.TimeoutMs)
}

// Allow adds keys to the allowlist.
func (c *Client) Allow(ctx context.Context, q KeysRequest) (Keys, error) {
	return ask[Keys](ctx, c, "allow", q, 0)
}

// Revoke removes keys from the allowlist and disconnects their owners.
func (c *Client) Revoke(ctx context.Context, q KeysRequest) (Keys, error) {
	return ask[Keys](ctx, c, "revoke", q, 0)
}

// Alias gives a peer a local name.
func (c *Client) Alias(ctx context.Context, q AliasRequest) (Aliased, error) {
	return ask[Aliased](ctx, c, "alias", q, 0)
}

// Forget removes peers from the peer book, or their pins.
func (c *Client) Forget(ctx context.Context, q ForgetRequest) (Forgotten, error) {
	return ask[Forgotten](ctx, c, "forget", q, 0)
}

// SetAuth sets the authorization mode.
func (c *Client) SetAuth(ctx context.Context, q AuthRequest) (Auth, error) {
	return ask[Auth](ctx, c, "auth", q, 0)
}

// Reload has the node read its settings file again.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	return ask[Reloaded](ctx, c, "reload", struct{}{}, 0)
}

// Drain moves the peers of the member to the other members.
func (c *Client) Drain(ctx context.Context, q DrainRequest) (Drained, error) {
	return ask[Drained](ctx, c, "drain", q, q.TimeoutMs)
}

func ask[Answer any](
	ctx context.Context, c *Client, verb string, question any, timeoutMs int64,
) (answer Answer, err error) {
	body, err := wire.MarshalJSON(question)
	if err != nil {
		return answer, err
	}
	timeout := defaultTimeout
	if timeoutMs > 0 {
		timeout = time.Duration(timeoutMs) * time.Millisecond
	}
	raw, err := c.do(ctx, http.MethodPost, verb, body, timeout)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	return answer, err
}

func (c *Client) do(
	ctx context.Context, method, verb string, body []byte, timeout time.Duration,
) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout+grace)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://node/v1/"+verb, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, failure(response, raw)
	}
	return raw, nil
}

// failure decodes the error of a response.
func failure(response *http.Response, raw []byte) error {
	reported := &Error{}
	if err := json.Unmarshal(raw, reported); err != nil || reported.Code == "" {
		return fmt.Errorf("the node answers %q: is it of another version?", response.Status)
	}
	return reported
}

// unreachable converts an error of the connection to the cause that a user can act on.
func (c *Client) unreachable(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, fs.ErrNotExist), oserror.Refused(err), errors.Is(err, syscall.ENOTDIR):
		return ErrNoNode
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{
			Code: CodeTimeout, Message: "the node does not answer",
			Advice: "try again; if it never answers, its process stands still or is overloaded: continue or restart it",
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		oserror.Reset(err), errors.Is(err, syscall.EPIPE):
		return errors.New("the node stopped before it answered")
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s is not open to this user: run the command as its owner or a member of --control-group, "+
			"or give another --data-dir",
			SocketPath(c.dir))
	default:
		return err
	}
}
