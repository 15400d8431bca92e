package control

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// limited returns a context that ends after ms milliseconds, or after defaultTimeout if ms is 0.
func limited(ctx context.Context, ms int64) (context.Context, context.CancelFunc, error) {
	limit := defaultTimeout
	if ms != 0 {
		if ms < 0 || ms > maxTimeout.Milliseconds() {
			return nil, nil, usage("timeoutMs %d: must be from 1 to %d", ms, maxTimeout.Milliseconds())
		}
		limit = time.Duration(ms) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, cancel, nil
}

func (h *Handler) connect(ctx context.Context, q ConnectRequest) (Connected, error) {
	if err := settings.CheckAddress(q.Address); err != nil {
		return Connected{}, usage("address %.128q: %v", q.Address, err)
	}
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return Connected{}, err
	}
	defer cancel()
	answer, err := h.node.Connect(ctx, q.Address)
	if err == nil {
		return answer, nil
	}
	failure := explain(err)
	var timeout net.Error
	switch {
	case errors.Is(err, supervisor.ErrBookWrite): // this node's disk failed, not the dial
		return Connected{}, failure
	case failure.Code != CodeFailed, errors.Is(err, supervisor.ErrNoRoom), errors.Is(err, supervisor.ErrStopped):
	case errors.As(err, &timeout) && timeout.Timeout():
		failure.Code = CodeTimeout
	default: // unreachable, or another identity answered
		failure.Code = CodeRefused
	}
	failure.Advice = cmp.Or(failure.Advice, DialAdvice(q.Address, err))
	return Connected{}, failure
}

func (h *Handler) drain(ctx context.Context, q DrainRequest) (Drained, error) {
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return Drained{}, err
	}
	defer cancel()
	drained, err := h.node.DrainPeers(ctx, q.Wait)
	if errors.Is(err, context.DeadlineExceeded) {
		err = &Error{
			Code: CodeTimeout, Message: "not all peers were told in time: the drain goes on",
			Advice: "wait again, with a longer --timeout",
		}
	}
	return drained, err
}

func (h *Handler) disconnect(ctx context.Context, q DisconnectRequest) (Disconnected, error) {
	ctx, cancel, _ := limited(ctx, 0)
	defer cancel()
	switch {
	case q.ForMs != 0 && (q.Connection != 0 || q.Forget), q.ForMs < 0, q.ForMs > maxTimeout.Milliseconds():
		return Disconnected{}, usage("forMs must be from 1 to %d, and excludes connection and forget",
			maxTimeout.Milliseconds())
	case q.Connection == 0:
		peer, err := h.resolve(q.Peer)
		if err != nil {
			return Disconnected{}, h.adviseNumber(err)
		}
		if q.ForMs != 0 {
			until := h.now().Add(time.Duration(q.ForMs) * time.Millisecond).UTC()
			return h.node.DisconnectUntil(ctx, peer, until)
		}
		return h.disconnectPeer(ctx, peer, q.Forget)
	case q.Peer != "" || q.Forget:
		return Disconnected{}, usage("connection excludes peer and forget")
	}
	gone, err := h.node.DisconnectConnection(ctx, q.Connection)
	if errors.Is(err, supervisor.ErrNotConnected) {
		return Disconnected{}, &Error{Code: CodeNotConnected, Message: err.Error(), Advice: h.numbersAdvice()}
	}
	return gone, err
}

// adviseNumber adds the advice to close the connection of an unverified peer by its number.
func (h *Handler) adviseNumber(err error) error {
	if !errors.Is(err, supervisor.ErrUnverified) {
		return err
	}
	failure := explain(err)
	failure.Advice = "close its connection by number, `node disconnect --connection N`: " + h.numbersAdvice()
	return failure
}

// numbersAdvice names the command that shows the numbers of the connections of this process.
func (h *Handler) numbersAdvice() string {
	if member := h.node.Member(); member != "" {
		return "`node peers --member " + member + "` shows the numbers; " +
			"close a connection of another member there"
	}
	return "`node peers` shows the numbers"
}

func (h *Handler) send(ctx context.Context, q MessageRequest) (Sent, error) {
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return Sent{}, err
	}
	defer cancel()
	message, err := h.message(q)
	if err != nil {
		return Sent{}, err
	}
	return Sent{message.ID}, h.node.SendContext(ctx, message.To, message)
}

func (h *Handler) broadcast(ctx context.Context, q BroadcastRequest) (Broadcasted, error) {
	role := crypto.NodeRole(q.Role)
	if _, err := crypto.ParseRole(q.Role); err != nil && q.Role != "" {
		return Broadcasted{}, usage("role %.64q: must be controller, worker or dual", q.Role)
	}
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return Broadcasted{}, err
	}
	defer cancel()
	message, err := NewMessage(h.node.Identity().ID, "", MessageRequest{
		Type: q.Type, Payload: q.Payload, ReplyTo: q.ReplyTo,
	})
	if err != nil {
		return Broadcasted{}, err
	}
	result := h.node.BroadcastToRole(ctx, role, message)
	answer := Broadcasted{ID: message.ID, Sent: result.Sent, Failed: make([]Failure, 0, len(result.Failed))}
	for _, f := range result.Failed {
		answer.Failed = append(answer.Failed, Failure{Peer: f.Peer, Error: explain(h.sized(f.Err)).Full()})
	}
	return answer, result.Refused
}

func (h *Handler) request(ctx context.Context, q MessageRequest) (*wire.Message, error) {
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return nil, err
	}
	defer cancel()
	message, err := h.message(q)
	if err != nil {
		return nil, err
	}
	reply, err := h.node.RequestContext(ctx, message.To, message)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, &Error{Code: CodeTimeout, Message: "no answer in time", Advice: noReplyAdvice}
	}
	return reply, err
}

func (h *Handler) ping(ctx context.Context, q PingRequest) (RoundTrip, error) {
	ctx, cancel, err := limited(ctx, q.TimeoutMs)
	if err != nil {
		return RoundTrip{}, err
	}
	defer cancel()
	peer, err := h.resolve(q.Peer)
	if err != nil {
		return RoundTrip{}, err
	}
	start := h.now()
	message, err := wire.NewMessage(wire.MsgPing, h.node.Identity().ID, peer, wire.PingPayload{SentAt: start.UnixMilli()})
	if err != nil {
		return RoundTrip{}, err
	}
	if _, err := h.node.RequestContext(ctx, peer, message); err != nil {
		return RoundTrip{Peer: peer}, err
	}
	return RoundTrip{Peer: peer, Ms: float64(h.now().Sub(start).Microseconds()) / 1000}, nil
}

func (h *Handler) reload(ctx context.Context, _ struct{}) (Reloaded, error) {
	ctx, cancel, _ := limited(ctx, 0)
	defer cancel()
	return h.node.Reload(ctx)
}

// resolve returns the node ID of a peer given by ID, prefix or name.
func (h *Handler) resolve(name string) (string, error) {
	if name == "" {
		return "", &Error{
			Code: CodeUsage, Message: "no peer is named",
			Advice: "give an alias, a node ID or a name; `node peers` lists them",
		}
	}
	return h.node.Resolve(name)
}

func (h *Handler) resolved(_ context.Context, q ResolveRequest) (Resolved, error) {
	peer, err := h.resolve(q.Peer)
	return Resolved{peer}, err
}

func (h *Handler) message(q MessageRequest) (*wire.Message, error) {
	peer, err := h.resolve(q.Peer)
	if err != nil {
		return nil, err
	}
	return NewMessage(h.node.Identity().ID, peer, q)
}

// blank reports white space and control characters.
func blank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// checkType refuses types that programs neither send nor receive.
func checkType(text string) error {
	switch kind := wire.MessageType(text); kind {
	case wire.MsgHandshake, wire.MsgHandshakeAck:
		return usage("type %s: only opens connections", kind)
	case wire.MsgDisconnect:
		return usage("type %s: use 'node disconnect'", kind)
	case wire.MsgPing:
		return usage("type %s: use 'node ping'", kind)
	case wire.MsgPong:
		return usage("type %s: the node itself answers pings", kind)
	}
	if !utf8.ValidString(text) || text == "" || strings.ContainsFunc(text, blank) {
		return usage("type %.64q: must be a word such as chat", text)
	}
	return nil
}

// NewMessage builds the message that q describes. It returns an *Error for messages that every receiver would drop
// without an answer.
func NewMessage(from, to string, q MessageRequest) (*wire.Message, error) {
	if err := checkType(q.Type); err != nil {
		return nil, err
	}
	if len(q.ReplyTo) > wire.MaxIDBytes {
		return nil, usage("replyTo has %d bytes: an id has %d at most", len(q.ReplyTo), wire.MaxIDBytes)
	}
	if !utf8.Valid(q.Payload) {
		return nil, usage("the payload is not UTF-8: encode it, for example as base64")
	}
	var payload any
	if len(q.Payload) > 0 {
		payload = q.Payload
	}
	message, err := wire.NewMessage(wire.MessageType(q.Type), from, to, payload)
	if err != nil {
		return nil, usage("%v", err)
	}
	message.ReplyTo = q.ReplyTo
	return message, nil
}
