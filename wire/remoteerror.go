package wire

import (
	"fmt"
	"strconv"
)

// maxRemoteText is the number of bytes of a peer's text that the text of a RemoteError contains.
const maxRemoteText = 512

// RemoteError is an answer of type error as a Go error: the peer could not carry out the request. Test with
// errors.As.
type RemoteError struct {
	Code ErrorCode // as sent; ErrCodeUnknown if the payload is not an ErrorPayload
	Text string    // chosen by the peer: quote it before printing; any length
}

// NewRemoteError returns the error that m reports, or nil if m is not of type error.
func NewRemoteError(m *Message) *RemoteError {
	if m.Type != MsgError {
		return nil
	}
	var payload ErrorPayload
	if m.ParsePayload(&payload) != nil {
		return &RemoteError{Code: ErrCodeUnknown}
	}
	return &RemoteError{Code: payload.Code, Text: payload.Message}
}

// Error returns the code and at most 512 bytes of the text, quoted.
func (e *RemoteError) Error() string {
	text := fmt.Sprintf("the peer answers with error %d (%s)", int(e.Code), e.Code)
	switch {
	case e.Text == "":
		return text
	case len(e.Text) > maxRemoteText:
		return text + ": " + strconv.Quote(e.Text[:maxRemoteText]) + "..."
	}
	return text + ": " + strconv.Quote(e.Text)
}
