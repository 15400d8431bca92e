package socket

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"
)

// A peer that closes the TCP connection instead of answering is reported in words, not as "EOF".
func TestPlainNamesAnUnansweredDial(t *testing.T) {
	other := errors.New("no route")
	for _, c := range []struct{ err, want error }{
		{&url.Error{Op: "Get", URL: "http://h", Err: io.EOF}, errUnanswered},
		{fmt.Errorf("dial: %w", &url.Error{Err: io.ErrUnexpectedEOF}), errUnanswered},
		{&url.Error{Op: "Get", URL: "http://h", Err: other}, other},
		{other, other},
	} {
		if got := plain(c.err); got != c.want {
			t.Errorf("plain(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}
