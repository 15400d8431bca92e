package control

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestForgetChecksItsRequest(t *testing.T) {
	client := serve(t, t.TempDir(), &fakeNode{})
	for name, c := range map[string]struct {
		request ForgetRequest
		want    []string // nil: the request is refused
		code    Code
	}{
		"a peer":            {ForgetRequest{Peers: []string{"bob"}}, []string{bobID}, ""},
		"its pin":           {ForgetRequest{Peers: []string{"bob"}, Pin: true}, []string{bobID}, ""},
		"an unknown peer":   {ForgetRequest{Peers: []string{"bob", "eve"}}, nil, CodeUnknownPeer},
		"a claim":           {ForgetRequest{Peers: []string{"claimed"}}, nil, CodeNotConnected},
		"unverified":        {ForgetRequest{Unverified: true}, []string{bobID}, ""},
		"old":               {ForgetRequest{OlderMs: 1000}, []string{bobID}, ""},
		"older than any":    {ForgetRequest{OlderMs: 7_200_000}, []string{}, ""},
		"nothing":           {ForgetRequest{}, nil, CodeUsage},
		"a pin of no peer":  {ForgetRequest{Pin: true}, nil, CodeUsage},
		"pins by age":       {ForgetRequest{Pin: true, OlderMs: 1}, nil, CodeUsage},
		"peers and an age":  {ForgetRequest{Peers: []string{"bob"}, OlderMs: 1}, nil, CodeUsage},
		"a negative age":    {ForgetRequest{OlderMs: -1}, nil, CodeUsage},
		"an age of a year+": {ForgetRequest{OlderMs: maxTimeout.Milliseconds() + 1}, nil, CodeUsage},
	} {
		got, err := client.Forget(context.Background(), c.request)
		var reported *Error
		switch {
		case c.code != "":
			if !errors.As(err, &reported) || reported.Code != c.code {
				t.Errorf("%s: %v, want %s", name, err, c.code)
			}
		case err != nil || got.Forgotten == nil || !slices.Equal(got.Forgotten, c.want) || got.Pin != c.request.Pin:
			t.Errorf("%s: %+v, %v; want %v", name, got, err, c.want)
		}
	}
}
