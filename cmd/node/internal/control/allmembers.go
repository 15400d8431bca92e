package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// The handler answers for all members of a cluster: it asks the others for their part, in the form of a request of this
// API, and merges the parts.
//
//	GET /v1/peers ──▶ own page, and AskMembers("/v1/peers?…") ──▶ Handler.Answer of each ──▶ mergePages

// maxMemberPage is the largest number of entries that a member is asked for, so that the answer fits a message.
const maxMemberPage = 250

// maxMemberConnections is the largest number of connections of one peer in an answer. The first carries its messages.
const maxMemberConnections = 8

// memberParameter selects one member.
var memberParameter = Parameter{
	Name: "member", Summary: "Only this member of a node that several processes share. Absent: all members.",
}

// Answer answers the question of another member: a request of this API that only reads, or disconnectQuestion. Safe for
// concurrent use.
func (h *Handler) Answer(ctx context.Context, question []byte) ([]byte, error) {
	u, err := url.Parse(string(question))
	if err != nil {
		return nil, err
	}
	query := u.Query()
	if u.Path == disconnectQuestion {
		return h.answerDisconnect(ctx, query.Get("peer"), query.Get("forget") == "true")
	}
	operation := h.paths[u.Path]["GET"]
	if err := operation.check(query); err != nil {
		return nil, err
	}
	var answer any
	switch u.Path {
	case "/v1/status":
		answer, err = h.ownStatus(ctx)
	case "/v1/peers":
		var page PeerPage
		page, err = h.ownPeers(ctx, query)
		answer = PeerPage{Peers: shorten(page.Peers), Next: page.Next}
	case overviewPath:
		var overview output.Overview
		overview, err = h.overview(ctx, query)
		overview.Peers = shorten(overview.Peers)
		answer = overview
	default:
		err = fmt.Errorf("another member asks for %.64q", u.Path)
	}
	if err != nil {
		return nil, err
	}
	return wire.MarshalJSON(answer)
}

// answerOf decodes the answer of a member.
func answerOf[Answer any](a supervisor.MemberAnswer) (answer Answer, err error) {
	if a.Err != nil {
		return answer, a.Err
	}
	err = json.Unmarshal(a.Answer, &answer)
	return answer, err
}

// shorten removes all but the first connections of each peer: strangers that claim the identity of one could fill the
// answer with connections, and an answer that is too long is none.
func shorten(peers []output.Peer) []output.Peer {
	for i := range peers {
		connections := peers[i].Connections
		peers[i].Connections = connections[:min(len(connections), maxMemberConnections)]
	}
	return peers
}

// askOne returns the answer of the selected member.
func askOne[Answer any](ctx context.Context, h *Handler, path, member string) (answer Answer, err error) {
	if h.node.Member() == "" {
		return answer, &Error{
			Code: CodeUsage, Message: "this node runs without other members", Advice: "leave out the name of a member",
		}
	}
	answers := h.node.AskMembers(ctx, []byte(path), member)
	if len(answers) == 0 {
		return answer, &Error{
			Code: CodeUsage, Message: fmt.Sprintf("no member %.64q", member), Advice: "list the members with `node members`",
		}
	}
	if answer, err = answerOf[Answer](answers[0]); err != nil {
		return answer, &Error{
			Code: CodeTimeout, Message: fmt.Sprintf("member %.64q does not answer", member),
			Advice: "try again, or see with `node members` whether it is alive",
		}
	}
	return answer, nil
}

// status returns the state of this member with that of the others, or of the selected member.
func (h *Handler) status(ctx context.Context, query url.Values) (output.Status, error) {
	member, self := query.Get("member"), h.node.Member()
	if member != "" && member != self {
		return askOne[output.Status](ctx, h, "/v1/status", member)
	}
	status, err := h.ownStatus(ctx)
	if err != nil || self == "" || member != "" {
		return status, err
	}
	status.Members = []output.MemberStatus{output.NewMemberStatus(h.member(self), &status)}
	for _, a := range h.node.AskMembers(ctx, []byte("/v1/status")) {
		var answered *output.Status
		if theirs, err := answerOf[output.Status](a); err == nil {
			answered = &theirs
		}
		status.Members = append(status.Members, output.NewMemberStatus(h.member(a.Member), answered))
	}
	slices.SortFunc(status.Members, func(a, b output.MemberStatus) int { return cmp.Compare(a.Name, b.Name) })
	return status, nil
}

// member returns the knowledge of this member about one, or only its name if the member is not known.
func (h *Handler) member(name string) output.Member {
	list, _ := h.node.Members() // fails only without a cluster
	if i := slices.IndexFunc(list, func(m output.Member) bool { return m.Name == name }); i >= 0 {
		return list[i]
	}
	return output.Member{Name: name, Self: name == h.node.Member()}
}

// peers returns a page of the peers of all members, or of the selected one.
func (h *Handler) peers(ctx context.Context, query url.Values) (PeerPage, error) {
	member, self := query.Get("member"), h.node.Member()
	query.Del("member")
	if self == "" && member == "" {
		return h.ownPeers(ctx, query)
	}
	limit := min(cmp.Or(limitOf(query), maxMemberPage), maxMemberPage)
	query.Set("limit", strconv.Itoa(limit))
	question := "/v1/peers?" + query.Encode()
	if member != "" && member != self {
		return askOne[PeerPage](ctx, h, question, member)
	}
	own, err := h.ownPeers(ctx, query)
	if err != nil || member != "" {
		return own, err
	}
	pages, unanswered := []memberPage{{self, own}}, []string(nil)
	for _, a := range h.node.AskMembers(ctx, []byte(question)) {
		if page, err := answerOf[PeerPage](a); err != nil {
			unanswered = append(unanswered, a.Member)
		} else {
			pages = append(pages, memberPage{a.Member, page})
		}
	}
	merged := mergePages(pages, limit, h.node.Home)
	merged.Unanswered = unanswered
	return merged, nil
}

// memberPage is the page of one member.
type memberPage struct {
	member string
	PeerPage
}

// mergePages merges pages of several members behind the same cursor into one of at most limit entries. Each peer has
// one entry, see output.MemberPeer.Better. Entries behind the end of the shortest page that is not the last wait for
// the next page.
func mergePages(pages []memberPage, limit int, home func(peer string) string) PeerPage {
	best := make(map[string]output.MemberPeer)
	end := "" // of the shortest page; empty: each page is the last
	for _, page := range pages {
		if next := decodeCursor(page.Next); next != "" && (end == "" || next < end) {
			end = next
		}
		for i := range page.Peers {
			p := output.MemberPeer{Peer: &page.Peers[i], From: page.member}
			key := entryKey(*p.Peer)
			if known, found := best[key]; !found || p.Better(known, home) {
				best[key] = p
			}
		}
	}
	merged := PeerPage{Peers: make([]output.Peer, 0, len(best)), Next: end}
	for key, p := range best {
		if end == "" || key <= end {
			merged.Peers = append(merged.Peers, *p.Peer)
		}
	}
	slices.SortFunc(merged.Peers, func(a, b output.Peer) int { return cmp.Compare(entryKey(a), entryKey(b)) })
	if len(merged.Peers) > limit {
		merged.Peers = merged.Peers[:limit]
		merged.Next = entryKey(merged.Peers[limit-1])
	}
	merged.Next = encodeCursor(merged.Next)
	return merged
}

// entryKey returns the cursor of the node at an entry.
func entryKey(p output.Peer) string { return cmp.Or(p.ID, addressMark+p.Address) }
