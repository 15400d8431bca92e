package wire

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

// ConfirmPong is the payload of the pong that answers a ConfirmPing.
type ConfirmPong struct {
	PongPayload
	Confirmed map[string]Receipt `json:"confirmed,omitempty"` // by ID in ConfirmPing.Confirm
}
