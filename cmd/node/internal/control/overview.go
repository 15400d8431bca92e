package control

import (
	"cmp"
	"context"
	"net/url"
	"strconv"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/supervisor"
)

// overviewPath is the path of the operation that members ask each other for while a dashboard is open.
const overviewPath = "/v1/overview"

// overview returns the state of this process with a page of the peers that are in use, or of all if they fit a page.
func (h *Handler) overview(ctx context.Context, query url.Values) (output.Overview, error) {
	status, err := h.ownStatus(ctx)
	if err != nil {
		return output.Overview{}, err
	}
	q := supervisor.PeerQuery{After: decodeCursor(query.Get("after")), Limit: cmp.Or(limitOf(query), maxMemberPage)}
	known := h.node.KnownPeers()
	q.InUse = known > q.Limit
	page, err := h.node.PeerPage(ctx, q)
	if err != nil {
		return output.Overview{}, err
	}
	answer := output.Overview{
		Status: status, Known: known, Load: output.NewLoad(h.node.Load()), Peers: h.entries(page),
		QueuedBytes: make(map[string]int), Next: encodeCursor(page.Next),
	}
	for _, p := range page.Peers {
		if p.QueuedSize > 0 {
			answer.QueuedBytes[p.ID] = p.QueuedSize
		}
	}
	return answer, nil
}

// MemberAsker asks other members. Safe for concurrent use.
type MemberAsker interface {
	AskMembers(ctx context.Context, question []byte, names ...string) []supervisor.MemberAnswer
}

// AskOverview asks another member for its overview with at most limit peers, up to 250, behind a cursor of an earlier
// one; empty: the first. The errors are supervisor.ErrUnanswered (errors.Is), ctx's, and that of an answer that cannot
// be decoded.
func AskOverview(
	ctx context.Context, node MemberAsker, member, after string, limit int,
) (answer output.Overview, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	answers := node.AskMembers(ctx, []byte(overviewPath+"?"+query.Encode()), member)
	if len(answers) == 0 {
		return answer, supervisor.ErrUnanswered // it has left
	}
	return answerOf[output.Overview](answers[0])
}
