package supervisor

import (
	"net/http"
	"strings"
)

// upgradeFault returns the HTTP status and text that answer a request that is no upgrade to a WebSocket; 0: it is one.
// Its body would be taken for frames, so it may have none. Lists of tokens are read as RFC 9110, section 5.6.1, says;
// the WebSocket library checks the other headers.
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

// hasToken reports whether a token is in a list that may be spread over several header lines, with empty elements and
// white space around the others. Case does not count.
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
