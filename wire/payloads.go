package wire

// PingPayload is the payload of a ping (protocol section 5).
type PingPayload struct {
	SentAt int64 `json:"sentAt"` // Unix milliseconds on the sender's clock
}

// PongPayload is the payload of a pong (protocol section 5). The round trip time is now minus SentAt, both on the
// clock of the node that sent the ping. ReceivedAt is on the clock of the answering node and serves only to estimate
// clock skew.
type PongPayload struct {
	SentAt     int64 `json:"sentAt"`     // copied from the ping
	ReceivedAt int64 `json:"receivedAt"` // Unix milliseconds on the answering node's clock
}

// DisconnectPayload is the payload of a disconnect (protocol section 5). In a received one Code can be any number and
// Reason any text: quote it in logs.
type DisconnectPayload struct {
	Reason string         `json:"reason"`
	Code   DisconnectCode `json:"code"`
}

// ErrorPayload is the payload of an error (protocol section 5). Message is a description for display; Details is
// omitted from the JSON if empty. As a Go error it chooses the payload with which a failed handler is answered.
type ErrorPayload struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
	Details string    `json:"details,omitempty"`
}

// Error implements error: the name of the code and the message. Both can be a peer's input: quote the text in logs.
func (p *ErrorPayload) Error() string { return p.Code.String() + ": " + p.Message }
