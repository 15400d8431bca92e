package wire

import "bytes"

// MaxConfirm is the number of IDs in a ConfirmPing that a node confirms. It ignores further ones.
const MaxConfirm = 64

// Receipt tells what the node that sends it has done with a message on this connection (protocol section 7). In a
// received one it can be any text: quote it in logs.
type Receipt string

// The receipts.
const (
	ReceiptOK      Receipt = "ok"      // accepted, now or earlier: it is in the queue of the handlers, or was
	ReceiptStale   Receipt = "stale"   // dropped: its timestamp is too far from the node's clock
	ReceiptRefused Receipt = "refused" // dropped for another reason that the node counts in messagesRefused
	ReceiptUnknown Receipt = "unknown" // never seen, above the rate limit, or too long ago
)

// ConfirmPing is the payload of a ping that asks for receipts (protocol section 7). It goes to peers that announce
// FeatureConfirm; other nodes ignore the additional key.
type ConfirmPing struct {
	PingPayload
	Confirm []string `json:"confirm,omitempty"` // IDs of earlier messages on this connection, at most MaxConfirm
}

// ParsePing is [Message.ParsePayload] for a ping. A payload with SentAt only, in compact form, costs no allocation.
func (m *Message) ParsePing() (ConfirmPing, error) {
	if at, ok := onlySentAt(m.Payload); ok {
		return ConfirmPing{PingPayload: PingPayload{SentAt: at}}, nil
	}
	var p ConfirmPing
	err := m.ParsePayload(&p)
	return p, err
}

// onlySentAt parses `{"sentAt":N}` with 1 to 18 digits, which no int64 exceeds.
func onlySentAt(payload []byte) (at int64, ok bool) {
	digits, opened := bytes.CutPrefix(payload, []byte(`{"sentAt":`))
	digits, closed := bytes.CutSuffix(digits, []byte(`}`))
	if !opened || !closed || len(digits) == 0 || len(digits) > 18 || digits[0] == '0' {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		at = at*10 + int64(c-'0')
	}
	return at, true
}

// ConfirmPong is the payload of the pong that answers a ConfirmPing.
type ConfirmPong struct {
	PongPayload
	Confirmed map[string]Receipt `json:"confirmed,omitempty"` // by ID in ConfirmPing.Confirm
}
