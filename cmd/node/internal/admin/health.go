package admin

import (
	"io"
	"net/http"
)

// healthz reports that the process lives, for supervisors that restart a node that does not answer.
func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// readyz reports whether peers can connect: 503 from the moment a stop begins, and always for a node that does not
// listen (--listen ""). A node without a free slot is ready, because remote peers must not be able to change this
// answer.
func readyz(node Node) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if node.Accepting() {
			plain(w, http.StatusOK, "ready\n")
			return
		}
		plain(w, http.StatusServiceUnavailable,
			"not ready: the node accepts no peers; it is starting or stopping, or --listen is empty\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // fails only if the client has left
}
