package control

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// trigger is a request, and the error of the node's method, for one code.
type trigger struct {
	body string // of a GET: its parameters
	err  error
	code Code
}

// addressed are the failures to find a peer, for a request with the key peer.
func addressed(rest string) []trigger {
	return []trigger{
		{`{"peer":"eve"` + rest + `}`, nil, CodeUnknownPeer},
		{`{"peer":"twin"` + rest + `}`, nil, CodeAmbiguous},
		{`{"peer":"claimed"` + rest + `}`, nil, CodeNotConnected},
	}
}

// Each operation declares exactly those codes, besides the common ones, that it can answer with.
func TestOperationsDeclareTheirCodes(t *testing.T) {
	full := trigger{`{"peer":"bob","type":"chat"}`, supervisor.ErrQueueFull, CodeQueueFull}
	remote := trigger{`{"peer":"bob","type":"chat"}`, &wire.RemoteError{Code: 1003}, CodeRemote}
	keys := []trigger{
		{`{"keys":["claimed"]}`, nil, CodeClaimedName},
		{`{"keys":["` + aliceID + `"]}`, nil, CodeUnknownPeer},
		{`{"keys":["twin"]}`, nil, CodeAmbiguous},
	}
	triggers := map[string][]trigger{
		"resolvePeer": addressed(""),
		"sendMessage": append(addressed(`,"type":"chat"`), full),
		"request":     append(addressed(`,"type":"chat"`), full, remote),
		"ping": append(addressed(""), trigger{`{"peer":"bob"}`, supervisor.ErrQueueFull, CodeQueueFull},
			trigger{`{"peer":"bob"}`, &wire.RemoteError{Code: 1003}, CodeRemote}),
		"connect":    {{`{"address":"host:1"}`, errors.New("connection refused"), CodeRefused}},
		"disconnect": addressed(""),
		"forgetPeers": {
			{`{"peers":["eve"]}`, nil, CodeUnknownPeer},
			{`{"peers":["twin"]}`, nil, CodeAmbiguous},
			{`{"peers":["claimed"]}`, nil, CodeNotConnected},
		},
		"allowKeys": keys, "revokeKeys": keys,
		"setAlias": addressed(`,"alias":"x"`),
		"watchEvents": {
			{"peer=eve", nil, CodeUnknownPeer}, {"peer=twin", nil, CodeAmbiguous}, {"peer=claimed", nil, CodeNotConnected},
		},
		"handleMessages": {{`{"type":"job"}`, nil, CodeConflict}},
	}
	names := make(map[string]bool)
	for _, o := range new(Handler).Operations() {
		names[o.Name] = true
		var got []Code
		for _, c := range triggers[o.Name] {
			got = append(got, c.code)
			if code := c.answer(t, o); code != c.code {
				t.Errorf("%s %s: code %s, want %s", o.Name, c.body, code, c.code)
			}
		}
		declared := slices.Sorted(slices.Values(o.Codes))
		if slices.Sort(got); !slices.Equal(got, declared) {
			t.Errorf("%s declares %v, the triggers have %v", o.Name, declared, got)
		}
	}
	for name := range triggers {
		if !names[name] {
			t.Errorf("no operation %s", name)
		}
	}
}

// answer sends the request to a node that fails, and returns the code of its error.
func (c trigger) answer(t *testing.T, o Operation) Code {
	t.Helper()
	node := &fakeNode{err: c.err, feed: newFakeFeed()}
	stream, err := node.feed.Handle("job")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	h := NewHandler(node, 1<<10)
	var r *httptest.ResponseRecorder
	if o.Method == "GET" {
		r = answer(h, o.Method, o.Path+"?"+c.body, "")
	} else {
		r = answer(h, o.Method, o.Path, c.body)
	}
	return refusal(t, r).Code
}

// Names and paths are unique, and each operation has a summary.
func TestOperationsAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, o := range new(Handler).Operations() {
		for _, text := range []string{o.Name, o.Method + " " + o.Path} {
			if text == "" || seen[text] {
				t.Errorf("%q is empty or there twice", text)
			}
			seen[text] = true
		}
		if o.Summary == "" {
			t.Errorf("%s has no summary", o.Name)
		}
	}
}
