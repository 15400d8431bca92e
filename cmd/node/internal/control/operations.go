package control

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// openAPI is the OpenAPI description, which `make openapi` writes from the operations and the types of their bodies.
//
//go:embed openapi.json
var openAPI []byte

// Operations returns all requests of the API. docs/api.md lists the same; a test compares them.
func (h *Handler) Operations() []Operation {
	return slices.Concat(h.views(), h.messages(), h.connections(), h.permissions(), h.streams())
}

// views returns the operations that only read.
func (h *Handler) views() []Operation {
	peers := get(h, "/v1/peers", "listPeers", "List known peers and kept addresses, in pages.", h.peers)
	peers.Parameters = []Parameter{
		{
			Name: "limit", Min: 1, Max: maxPage,
			Summary: "Maximum number of entries, from 1 to 1000; 1000 if absent.",
		},
		{Name: "after", Summary: "The key next of the previous page."},
		{
			Name: "connected", Values: []string{"true", "false"},
			Summary: "With true, only peers with a verified connection.",
		},
		memberParameter,
	}
	status := get(h, "/v1/status", "getStatus", "Show identity, version, uptime, connections and counters.", h.status)
	status.Parameters = []Parameter{memberParameter}
	overview := get(h, overviewPath, "getOverview",
		"Show the state of this process with a page of its peers in use, as members ask each other for a dashboard.",
		h.overview)
	overview.Parameters = []Parameter{
		{
			Name: "limit", Min: 1, Max: maxMemberPage,
			Summary: "Maximum number of peers, from 1 to 250; 250 if absent.",
		},
		{Name: "after", Summary: "The key next of the previous page."},
	}
	return []Operation{
		status,
		peers,
		overview,
		get(h, "/v1/members", "listMembers", "List the members of a node that several processes share.",
			func(context.Context, url.Values) ([]output.Member, error) { return h.node.Members() }),
		get(h, "/v1/config", "getConfig", "Show the settings in force and their sources.",
			func(context.Context, url.Values) (Configuration, error) { return h.node.Configuration(), nil }),
		get(h, "/v1/report", "getReport", "Make a support archive, without payloads and keys.", h.report),
		get(h, "/v1/openapi.json", "getDescription", "Return this OpenAPI description.",
			func(context.Context, url.Values) (json.RawMessage, error) { return openAPI, nil }),
		post(h, "/v1/resolve", "resolvePeer", "Look up the node ID of a peer, connected or not.", h.resolved,
			CodeUnknownPeer, CodeAmbiguous, CodeNotConnected),
	}
}

// messages returns the operations that send.
func (h *Handler) messages() []Operation {
	addressed := []Code{CodeUnknownPeer, CodeAmbiguous, CodeNotConnected, CodeQueueFull}
	answered := append(slices.Clone(addressed), CodeRemote)
	return []Operation{
		post(h, "/v1/send", "sendMessage",
			"Send a message to a connected peer. The answer comes once the message is written to the connection.",
			h.send, addressed...),
		post(h, "/v1/broadcast", "broadcastMessage", "Send a message to every connected peer, or to those of one role.",
			h.broadcast),
		post(h, "/v1/request", "request", "Send a message, wait for the reply and return its envelope.",
			h.request, answered...),
		post(h, "/v1/ping", "ping", "Measure one round trip.", h.ping, answered...),
	}
}

// connections returns the operations that open and close connections.
func (h *Handler) connections() []Operation {
	return []Operation{
		post(h, "/v1/connect", "connect", "Dial an address, and keep its peer connected.", h.connect, CodeRefused),
		post(h, "/v1/disconnect", "disconnect",
			"Close the connections to a peer and stop redialling it, or close the connection with one number.",
			h.disconnect, CodeUnknownPeer, CodeAmbiguous, CodeNotConnected),
		post(h, "/v1/forget", "forgetPeers", "Remove peers from the peer book, or only their pins.", h.forget,
			CodeUnknownPeer, CodeAmbiguous, CodeNotConnected),
		post(h, "/v1/drain", "drain", "Move the peers of this member to the other members, before its stop.", h.drain),
		post(h, "/v1/reload", "reload", "Read the settings file again.", h.reload),
	}
}

// permissions returns the operations on the allowlist and on aliases.
func (h *Handler) permissions() []Operation {
	keyed := []Code{CodeUnknownPeer, CodeAmbiguous, CodeClaimedName}
	return []Operation{
		get(h, "/v1/auth", "getAuth", "Show the authorization mode.", h.auth),
		post(h, "/v1/auth", "setAuth", "Set the authorization mode.", h.setAuth),
		get(h, "/v1/allowlist", "getAllowlist", "List the allowed and the revoked keys.", h.allowlist),
		get(h, "/v1/pending", "listPending", "List peers that were refused because they are not on the allowlist.",
			h.pending),
		post(h, "/v1/allow", "allowKeys", "Add keys to the allowlist.", h.allow, keyed...),
		post(h, "/v1/revoke", "revokeKeys", "Remove keys from the allowlist, disconnect their owners and refuse them.",
			h.revoke, keyed...),
		post(h, "/v1/alias", "setAlias", "Give a peer a local name.", h.alias,
			CodeUnknownPeer, CodeAmbiguous, CodeNotConnected),
	}
}

// streams returns the operations that are answered with server-sent events.
func (h *Handler) streams() []Operation {
	return []Operation{
		{
			Method: http.MethodGet, Path: "/v1/events", Name: "watchEvents", Summary: "Stream the events of the node.",
			Parameters: []Parameter{
				{Name: "events", Summary: "Names of events, separated by commas. Absent: all, or with type only messages."},
				{Name: "type", Repeatable: true, Summary: "Only messages of this type."},
				{Name: "peer", Summary: "Only events about this peer: alias, node ID, prefix of one or name."},
				{
					Name: "format", Values: []string{"json", "text"},
					Summary: "Form of the data. The default json is stable; text is for people and may change.",
				},
			},
			Codes: []Code{CodeUnknownPeer, CodeAmbiguous, CodeNotConnected}, serve: h.events,
		},
		{
			Method: http.MethodPost, Path: "/v1/handle", Name: "handleMessages",
			Summary:  "Stream the messages of one type to their only handler, which replies with sendMessage.",
			Question: HandleRequest{}, Codes: []Code{CodeConflict}, serve: h.handle,
		},
	}
}
