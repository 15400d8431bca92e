package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRemoteErrorReportsTheAnswer(t *testing.T) {
	for _, c := range []struct {
		kind    MessageType
		payload string
		want    RemoteError
		text    string
	}{
		{
			MsgError, `{"code":1003,"message":"no \u001b[31m such"}`,
			RemoteError{ErrCodeNotFound, "no \x1b[31m such"},
			`the peer answers with error 1003 (not found): "no \x1b[31m such"`,
		},
		{MsgError, `{"code":7}`, RemoteError{7, ""}, "the peer answers with error 7 (error code 7)"},
		{MsgError, `["x"]`, RemoteError{ErrCodeUnknown, ""}, "the peer answers with error 1000 (unknown)"},
		{
			MsgError, `{"message":"` + strings.Repeat("a", 600) + `"}`,
			RemoteError{0, strings.Repeat("a", 600)},
			`the peer answers with error 0 (error code 0): "` + strings.Repeat("a", 512) + `"...`,
		},
	} {
		got := NewRemoteError(&Message{Type: c.kind, Payload: json.RawMessage(c.payload)})
		if got == nil || *got != c.want || got.Error() != c.text {
			t.Errorf("%s: %+v, %v", c.payload, got, got)
		}
	}
	if got := NewRemoteError(&Message{Type: MsgStats, Payload: json.RawMessage(`{"code":1003}`)}); got != nil {
		t.Errorf("stats is %+v", got)
	}
}
