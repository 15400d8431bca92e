package control

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// disconnectQuestion is the path of the question of another member to disconnect a peer, with the parameters peer (a
// node ID) and forget. It is no operation of the API.
const disconnectQuestion = "/v1/disconnect"

// disconnectPeer closes the connections of a peer and stops redialling it, at all members. The answer is that of the
// peer's home.
func (h *Handler) disconnectPeer(ctx context.Context, peer string, forget bool) (Disconnected, error) {
	self, home := h.node.Member(), h.node.Home(peer)
	if self == "" {
		return h.node.Disconnect(ctx, peer, forget)
	}
	query := url.Values{"peer": {peer}, "forget": {strconv.FormatBool(forget)}}
	answers := h.node.AskMembers(ctx, []byte(disconnectQuestion+"?"+query.Encode()))
	gone, err := h.node.Disconnect(ctx, peer, forget)
	if home == self {
		return gone, err
	}
	theirs, silent := disconnectedBy(answers, home)
	switch {
	case theirs.Peer != "" && (theirs.Member == home || err != nil):
		return theirs, nil
	case silent:
		return Disconnected{}, &Error{
			Code:    CodeTimeout,
			Message: fmt.Sprintf("the peer is connected to member %.64q, which does not answer", home),
			Advice:  "see with `node members` whether it is alive, and try again",
		}
	}
	return gone, err
}

// disconnectedBy returns the answer of the home of a peer, or else of another member that had a connection to it or
// dialled it. silent: the home has not answered.
func disconnectedBy(answers []supervisor.MemberAnswer, home string) (found Disconnected, silent bool) {
	for _, a := range answers {
		switch theirs, err := answerOf[Disconnected](a); {
		case err != nil:
			silent = silent || a.Member == home
		case theirs.Peer != "" && (found.Peer == "" || a.Member == home):
			found, found.Member = theirs, a.Member
		}
	}
	return found, silent
}

// answerDisconnect disconnects a peer of this member for another one. If this member is neither connected to the peer
// nor dials it, the answer has no peer.
func (h *Handler) answerDisconnect(ctx context.Context, peer string, forget bool) ([]byte, error) {
	if !crypto.ValidNodeID(peer) {
		return nil, fmt.Errorf("another member disconnects %.64q", peer)
	}
	gone, err := h.node.Disconnect(ctx, peer, forget)
	if errors.Is(err, supervisor.ErrNotConnected) {
		gone, err = Disconnected{}, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.MarshalJSON(gone)
}
