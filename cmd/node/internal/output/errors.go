package output

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/Snider/go-p2p/supervisor"
)

// ErrorText returns the text of an error of the supervisor package, followed by the command that helps, if there is
// one.
func ErrorText(err error) string {
	text := err.Error()
	if hint := hintFor(err); hint != "" {
		text += "; " + hint
	}
	return text
}

func hintFor(err error) string {
	var (
		unlisted  *supervisor.NotAllowedError
		unknown   *supervisor.UnknownPeerError
		ambiguous *supervisor.AmbiguousPeerError
	)
	switch {
	case errors.As(err, &unlisted):
		return fmt.Sprintf("`node allow %s` adds it", unlisted.Key)
	case errors.As(err, &unknown) && len(unknown.Unanswered) > 0:
		return "one of them may know the peer: `node members` shows their state, and `node peers` the peers of the others"
	case errors.As(err, &unknown):
		return fmt.Sprintf("give a node ID, %d characters of one or more, or a name; `node peers` lists them",
			supervisor.MinIDPrefix)
	case errors.Is(err, supervisor.ErrMembers):
		return "a member that cannot be reached takes it over when it can"
	case errors.As(err, &ambiguous):
		return "give more of the node ID"
	default:
		return ""
	}
}

// LogAttr replaces an error in a log line by its ErrorText. It is a slog.HandlerOptions.ReplaceAttr.
func LogAttr(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok && hintFor(err) != "" {
		return slog.String(a.Key, ErrorText(err))
	}
	return a
}
