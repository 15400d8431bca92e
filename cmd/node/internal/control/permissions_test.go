package control

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

func TestAllowAndRevokeResolveKeys(t *testing.T) {
	node := &fakeNode{}
	client := serve(t, t.TempDir(), node)
	for name, c := range map[string]struct {
		request KeysRequest
		revoke  bool
		code    Code // empty: bob's key is changed
	}{
		"a key":                    {KeysRequest{Keys: []string{bobKey}}, false, ""},
		"an alias":                 {KeysRequest{Keys: []string{"bob"}}, false, ""},
		"an ID":                    {KeysRequest{Keys: []string{bobID}}, true, ""},
		"a pending ID":             {KeysRequest{Keys: []string{bobID}, Pending: true}, false, ""},
		"a pending prefix":         {KeysRequest{Keys: []string{bobID[:8]}, Pending: true}, false, ""},
		"a pending name":           {KeysRequest{Keys: []string{"bob"}, Pending: true}, false, CodeUnknownPeer},
		"an unknown pending ID":    {KeysRequest{Keys: []string{aliceID}, Pending: true}, false, CodeUnknownPeer},
		"a pending one to revoke":  {KeysRequest{Keys: []string{bobID}, Pending: true}, true, CodeUsage},
		"a claimed name":           {KeysRequest{Keys: []string{"claimed"}}, false, CodeClaimedName},
		"an unknown ID":            {KeysRequest{Keys: []string{aliceID}}, false, CodeUnknownPeer},
		"an unknown prefix":        {KeysRequest{Keys: []string{aliceID[:8]}}, false, CodeUnknownPeer},
		"any other text":           {KeysRequest{Keys: []string{"no key"}}, true, CodeUsage},
		"a known and a wrong text": {KeysRequest{Keys: []string{"bob", "x"}}, false, CodeUsage},
	} {
		node.allowed, node.revoked = nil, nil
		change := client.Allow
		if c.revoke {
			change = client.Revoke
		}
		answer, err := change(t.Context(), c.request)
		var reported *Error
		switch changed := slices.Concat(node.allowed, node.revoked); {
		case c.code != "":
			if !errors.As(err, &reported) || reported.Code != c.code || len(changed) > 0 {
				t.Errorf("%s: %v, %v; want %s", name, changed, err, c.code)
			}
		case err != nil || !slices.Equal(answer.Keys, []string{bobKey}) || len(changed) != 1:
			t.Errorf("%s: %+v, %v, %v", name, answer, changed, err)
		}
	}
	_, err := client.Allow(t.Context(), KeysRequest{Keys: []string{"claimed"}})
	if err == nil || !strings.Contains(err.Error(), `"claimed" is claimed by `+bobID+" (key "+bobKey+")") {
		t.Errorf("a claimed name: %v, want ID and key", err)
	}
}

func TestAuthWarnsThatNoPeerIsAllowed(t *testing.T) {
	key, err := crypto.ParsePublicKey(bobKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		node *fakeNode
		mode string
		want string
	}{
		"nobody":    {&fakeNode{}, "allowlist", noneAllowed},
		"open":      {&fakeNode{}, "open", ""},
		"a pin":     {&fakeNode{pins: true}, "allowlist", ""},
		"one peer":  {&fakeNode{allowed: []crypto.PublicKey{key}}, "allowlist", ""},
		"a revoked": {&fakeNode{revoked: []crypto.PublicKey{key}}, "allowlist", noneAllowed},
	} {
		answer, err := serve(t, t.TempDir(), c.node).SetAuth(t.Context(), AuthRequest{Auth: c.mode})
		if err != nil || answer.Warning != c.want || answer.Disconnected == nil || *answer.Disconnected != 2 {
			t.Errorf("%s: %+v, %v; want %q", name, answer, err, c.want)
		}
	}
}

func TestPermissionListsKeepKeys(t *testing.T) {
	key, err := crypto.ParsePublicKey(bobKey)
	if err != nil {
		t.Fatal(err)
	}
	client := serve(t, t.TempDir(), &fakeNode{revoked: []crypto.PublicKey{key}})
	for verb, want := range map[string]string{
		"allowlist": `{"mode":"open","allowed":[],"revoked":[{"key":"` + bobKey + `","id":"` + bobID + `","name":"bob"}]}`,
		"pending": `[{"id":"` + bobID + `","key":"` + bobKey + `","name":"bob","address":"host:9",` +
			`"firstAt":"0001-01-01T00:00:00Z","lastAt":"0001-01-01T00:00:00Z","count":2,"unproven":true}]`,
	} {
		if got, err := client.Get(t.Context(), verb); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", verb, got, err, want)
		}
	}
}

func TestAliasTakesAnyWholeID(t *testing.T) {
	node := &fakeNode{}
	client := serve(t, t.TempDir(), node)
	other := strings.Repeat("0", 32)
	for peer, want := range map[string]string{"bob": bobID, bobID: bobID, other: other, "eve": "", "00000000": ""} {
		node.alias = [2]string{}
		answer, err := client.Alias(t.Context(), AliasRequest{Peer: peer, Alias: "b"})
		switch {
		case want == "" && err == nil, node.alias[0] != want:
			t.Errorf("%s: %+v, %v; set %v", peer, answer, err, node.alias)
		case want != "" && (err != nil || answer != Aliased{Peer: want, Alias: "b"} || node.alias[1] != "b"):
			t.Errorf("%s: %+v, %v; set %v", peer, answer, err, node.alias)
		}
	}
}
