package supervisor

import (
	"net/http"
	"strings"
)

// upgradeFault returns the HTTP status and text that refuse a request, or 0 if the request is a WebSocket upgrade. A
// body is refused, because its bytes would be read as frames. Token lists follow RFC 9110, section 5.6.1. The WebSocket
// library checks the other headers.
func upgradeFault(r *http.Request) (status int, text string) {
	switch {
	case !hasToken(r.Header["Upgrade"], "websocket"):
		return http.StatusUpgradeRequired, "this address speaks WebSocket only"
	case !hasToken(r.Header["Connection"], "upgrade"):
		return http.StatusBadRequest, "an upgrade needs the Connection token upgrade"
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return http.StatusBadRequest, "an upgrade has no body"
	default:
		return 0, ""
	}
}

// hasToken reports whether a comma-separated list contains a token, ignoring case. The list may span several header
// lines and contain white space and empty elements.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(element, " \t"), token) {
				return true
			}
		}
	}
	return false
}
