package admin

import (
	"io"
	"net/http"
)

// healthz says that the process lives: whoever restarts a node that does not answer asks here.
func healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// readyz says whether peers can connect. It turns at the moment at which a stop begins. A node that was told to accept
// nobody (--listen "") is never ready: it is alive, which /healthz says. One whose places are all taken is ready, since
// strangers must not be able to turn this answer.
func readyz(node Node) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if node.Accepting() {
			plain(w, http.StatusOK, "ready\n")
			return
		}
		plain(w, http.StatusServiceUnavailable, "not ready: the node accepts no peers; it is starting or stopping, or --listen is empty\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that has gone away needs no answer
}
