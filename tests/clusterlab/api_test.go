package clusterlab

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// api sends messages of a member through its control API, from any goroutine, without a process for each.
type api struct {
	client  http.Client
	timeout time.Duration // of a send, on the clock of the node; 0: 30 s
}

// outcome is the end of a send: an error code of docs/api.md, empty for a message that was sent.
type outcome struct {
	to   string
	code string
	text string
	took time.Duration
}

// api opens the control API of a member, until the test ends.
func (c *cluster) api(name string) *api {
	socket := filepath.Join(c.members[name].Data(), "control.sock")
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: 64,
	}
	c.t.Cleanup(transport.CloseIdleConnections)
	return &api{client: http.Client{Transport: transport, Timeout: nodetest.Patience}}
}

// send sends a message of a type, with a payload of some bytes.
func (a *api) send(to, kind string, size int) outcome {
	o, began := outcome{to: to}, time.Now()
	q := map[string]any{"peer": to, "type": kind, "payload": strings.Repeat("x", size)}
	if a.timeout > 0 {
		q["timeoutMs"] = a.timeout.Milliseconds()
	}
	body, _ := json.Marshal(q)
	resp, err := a.client.Post("http://node/v1/send", "application/json", bytes.NewReader(body))
	o.took = time.Since(began)
	if err != nil {
		o.code, o.text = "no answer", err.Error()
		return o
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return o
	}
	var failed struct{ Code, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&failed); err != nil {
		o.code, o.text = "no answer", err.Error()
		return o
	}
	o.code, o.text = failed.Code, failed.Message
	return o
}
