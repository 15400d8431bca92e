package control

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// noneAllowed warns that the mode allowlist refuses every peer.
const noneAllowed = "no peer is allowed: `node allow KEY` allows one, `node pending` lists the refused ones"

func (h *Handler) allow(ctx context.Context, q KeysRequest) (Keys, error) {
	if q.Pending {
		return h.changeKeys(ctx, q, h.pendingKey, h.node.Allow)
	}
	return h.changeKeys(ctx, q, h.resolveKey, h.node.Allow)
}

func (h *Handler) revoke(ctx context.Context, q KeysRequest) (Keys, error) {
	if q.Pending {
		return Keys{}, usage("pending peers cannot be revoked by ID: give the key")
	}
	return h.changeKeys(ctx, q, h.resolveKey, h.node.Revoke)
}

// changeKeys resolves all keys, then changes them together.
func (h *Handler) changeKeys(
	ctx context.Context, q KeysRequest, resolve func(context.Context, string) (crypto.PublicKey, error),
	change func(...crypto.PublicKey) error,
) (answer Keys, err error) {
	ctx, cancel, _ := limited(ctx, 0)
	defer cancel()
	if len(q.Keys) == 0 {
		return answer, usage("the list of keys is empty")
	}
	keys := make([]crypto.PublicKey, 0, len(q.Keys))
	for _, text := range q.Keys {
		key, err := resolve(ctx, text)
		if err != nil {
			return answer, err
		}
		keys = append(keys, key)
		answer.Keys = append(answer.Keys, key.String())
	}
	return answer, change(keys...)
}

// resolveKey returns the key that a text stands for. A text that stands for no peer and is not an ID is wrong usage.
func (h *Handler) resolveKey(ctx context.Context, text string) (crypto.PublicKey, error) {
	key, err := h.node.ResolveKey(ctx, text)
	if errors.Is(err, supervisor.ErrUnknownPeer) && !looksLikeID(text) {
		failure := usage("%.64q is neither a public key nor the ID or alias of a known peer", text)
		failure.Advice = "`node peers` and `node pending` show keys and IDs"
		return key, failure
	}
	return key, err
}

// looksLikeID reports whether a text can be a node ID or a prefix of one.
func looksLikeID(text string) bool {
	return len(text) >= supervisor.MinIDPrefix && crypto.ValidNodeID((text + strings.Repeat("0", 32))[:max(32, len(text))])
}

// pendingKey returns the key of the pending peer with an ID or a prefix of it.
func (h *Handler) pendingKey(ctx context.Context, text string) (key crypto.PublicKey, err error) {
	peers, err := h.node.Pending(ctx)
	if err != nil {
		return key, err
	}
	var found []supervisor.PeerCandidate
	for _, p := range peers {
		if p.ID == text || len(text) >= supervisor.MinIDPrefix && strings.HasPrefix(p.ID, text) {
			key = p.Key
			found = append(found, supervisor.PeerCandidate{ID: p.ID, Name: p.Name, Address: p.Address})
		}
	}
	switch len(found) {
	case 0:
		return key, &Error{
			Code: CodeUnknownPeer, Message: "no pending peer has the ID " + output.Quoted(text),
			Advice: "`node pending` lists them",
		}
	case 1:
		return key, nil
	default:
		return key, &supervisor.AmbiguousPeerError{Text: text, Candidates: found}
	}
}

func (h *Handler) auth(context.Context, url.Values) (Auth, error) {
	mode, stored := h.node.AuthMode()
	return Auth{Auth: mode.String(), Stored: stored}, nil
}

func (h *Handler) setAuth(ctx context.Context, q AuthRequest) (Auth, error) {
	ctx, cancel, _ := limited(ctx, 0)
	defer cancel()
	mode, err := supervisor.ParseAuthMode(q.Auth)
	if err != nil {
		return Auth{}, usage("auth %.64q: must be open or allowlist", q.Auth)
	}
	disconnected, err := h.node.SetAuthModeContext(ctx, mode)
	if err != nil {
		return Auth{}, err
	}
	answer := Auth{Auth: q.Auth, Stored: true, Disconnected: &disconnected, Member: h.node.Member()}
	if mode == supervisor.PeerAuthAllowlist && len(h.node.AllowedKeys()) == 0 && !h.node.HasPins() {
		answer.Warning = noneAllowed
	}
	return answer, nil
}

func (h *Handler) allowlist(context.Context, url.Values) (output.Allowlist, error) {
	mode, _ := h.node.AuthMode()
	return output.NewAllowlist(mode, h.node.AllowedKeys(), h.node.RevokedKeys()), nil
}

func (h *Handler) pending(ctx context.Context, _ url.Values) ([]output.Pending, error) {
	peers, err := h.node.Pending(ctx)
	return output.NewPending(peers), err
}

// alias gives a peer a local name. A whole node ID need not be known.
func (h *Handler) alias(_ context.Context, q AliasRequest) (Aliased, error) {
	id := q.Peer
	if !crypto.ValidNodeID(id) {
		var err error
		if id, err = h.resolve(q.Peer); err != nil {
			return Aliased{}, err
		}
	}
	return Aliased{Peer: id, Alias: q.Alias}, h.node.SetAlias(id, q.Alias)
}
