package wire

// PingPayload is the payload of a ping (protocol section 5).
type PingPayload struct {
	SentAt int64 `json:"sentAt"` // Unix milliseconds on the sender's clock
}

// PongPayload is the payload of a pong (protocol section 5). The round trip is
// now minus SentAt, both read from the clock of the node that sent the ping;
// ReceivedAt is the other node's clock and good only for estimating its skew.
type PongPayload struct {
	SentAt     int64 `json:"sentAt"`     // copied from the ping
	ReceivedAt int64 `json:"receivedAt"` // Unix milliseconds on the answering node's clock
}

// DisconnectPayload is the payload of a disconnect (protocol section 5).
// Received ones are the peer's word: Code may be any number, and Reason any
// text, so quote it in logs.
type DisconnectPayload struct {
	Reason string         `json:"reason"`
	Code   DisconnectCode `json:"code"`
}

// ErrorPayload is the payload of an error (protocol section 5). Message is for
// people; Details is left out of the JSON when it is empty.
type ErrorPayload struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
	Details string    `json:"details,omitempty"`
}
