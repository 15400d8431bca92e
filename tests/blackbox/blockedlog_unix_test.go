//go:build unix

package blackbox

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// fullPipe returns the writing end of a pipe that takes no more bytes. Its reader does not read.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	for _, size := range []int{4096, 1} {
		for err = nil; err == nil; {
			if err = w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err == nil {
				_, err = w.Write(make([]byte, size))
			}
		}
	}
	return w
}

// TestUnreadLogBlocksNothing: standard error of a node is a full pipe that no process reads. Refused strangers and
// failed dials cause lines; peers connect, messages arrive, /healthz answers, and SIGTERM ends the node with 0.
func TestUnreadLogBlocksNothing(t *testing.T) {
	t.Parallel()
	a := startWith(t, nodetest.ProcessOptions{Stderr: fullPipe(t)}, "--peer", "127.0.0.1:1", "--admin", "127.0.0.1:0")
	a.Await("dial_failed")
	o := refpeer.Options{Identity: identity(t, "stranger"), Pong: true}
	o.Identity.Public.ID = "another"
	if c, err := refpeer.Dial(t.Context(), a.URL(), o); err == nil {
		c.Close()
		t.Error("an id that is not the key's was accepted")
	}
	b := start(t, "--peer", a.Address(), "--stdin")
	meet(a, b)
	b.WriteLines(`{"to":"` + a.ID() + `","payload":"here"}`)
	a.Await("message", "peer", b.ID())
	client := http.Client{Timeout: patience}
	answer, err := client.Get(a.Hello.Str("admin") + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", answer.Status)
	}
	a.Stop()
}
