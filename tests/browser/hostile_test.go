package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// hostileTexts would run a script, or become an element, if the page took one of them as markup, style or code.
var hostileTexts = []string{
	`<img src=x onerror="window.hit=1">`, `"><script>window.hit=1</script>`, `</title><svg onload=window.hit=1>`,
	`javascript:window.hit=1`, `x" onfocus="window.hit=1" autofocus="`, `};window.hit=1;{`, `__proto__`, `constructor`,
	`role:worker`, `url(javascript:window.hit=1)`,
}

// TestHostileTextsStayText gives the page a stream in which every text that a peer may choose is hostile, also those
// that a handshake refuses, as roles. All appear as text, and the page goes on.
func TestHostileTextsStayText(t *testing.T) {
	needBrowser(t)
	alice := run(t, nodetest.NewHome(t), "alice", "--listen", "", "--admin", "127.0.0.1:0")
	p := open(t)
	p.do(chromedp.Navigate(besideNode(t, alice, hostileStream(t))))
	p.until(fmt.Sprintf(`document.querySelectorAll("#peers .name").length === %d`, len(hostileTexts)+1))
	for i, text := range hostileTexts {
		p.until(fmt.Sprintf(`document.querySelectorAll("#peers .name")[%d]?.textContent !== undefined &&
			[...document.querySelectorAll("#peers .name")].some((e) => e.textContent === %s)`, i, quote(text)))
		p.script(fmt.Sprintf(`[...document.querySelectorAll("#peers .name")].find((e) => e.textContent === %s).click()`,
			quote(text)))
		p.until(fmt.Sprintf(`[...document.querySelectorAll("#peer-detail dd")]
			.filter((e) => e.textContent.includes(%s)).length >= 6`, quote(text)))
	}
	p.script(`document.querySelector("#tree-box summary").click()`)
	p.until(fmt.Sprintf(`document.querySelectorAll("#tree b").length === %d`, len(hostileTexts)+2))
	p.until(fmt.Sprintf(`document.querySelectorAll("#log li").length === %d`, len(hostileTexts)))
	if eval[bool](p, `window.hit !== undefined || ({}).label !== undefined`) {
		t.Error("a text of a peer ran as a script")
	}
	made := `document.querySelectorAll("main img, main script, main [onerror], main [onfocus], main [onload]").length`
	if found := eval[int](p, made); found != 0 {
		t.Errorf("texts of peers became %d elements or attributes", found)
	}
	if errors := p.takeErrors(); len(errors) != 0 {
		t.Errorf("the console says: %q", errors)
	}
}

// quote returns a JavaScript string.
func quote(text string) string {
	literal, _ := json.Marshal(text) // a string: cannot fail
	return string(literal)
}

// besideNode serves the page of a node, with other events and another tree. It returns the URL.
func besideNode(t *testing.T, n *node, other http.Handler) string {
	t.Helper()
	to, err := url.Parse(n.Hello.Str("admin"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/events", other)
	mux.Handle("/tree", other)
	mux.Handle("/", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // the node compares it with the origin
	}})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// hostileStream answers for a node with one peer for each hostile text and one address that never answered.
func hostileStream(t *testing.T) http.Handler {
	hello, tick, log, tree := hostileData()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/tree" {
			_ = json.NewEncoder(w).Encode(tree) // the test fails if the page gets less
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		send := func(kind string, value any) {
			text, err := json.Marshal(value)
			if err != nil {
				t.Error(err)
			}
			_, _ = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, text)
		}
		send("hello", hello)
		for _, entry := range log {
			send("log", entry)
		}
		for beat := time.NewTicker(200 * time.Millisecond); ; {
			send("tick", tick)
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-beat.C:
			}
		}
	})
}

// hostileData returns the data of the events hello and tick, of each event log, and of the tree.
func hostileData() (hello, tick map[string]any, log, tree []any) {
	var peers []any
	for i, text := range hostileTexts {
		peers = append(peers, map[string]any{
			"k": fmt.Sprintf("%032x", i), "n": []int{1, 2, 3, 4, 5, 6, 7, 8}, "c": [][]int{{1, 2, 3}},
			"f": map[string]any{
				"id": text, "name": text, "alias": text, "address": text, "addresses": []string{text}, "role": text, "agent": text,
				"state": "connected", "direction": "inbound", "connected": true, "verified": true, "persistent": true,
				"session": text, "lastError": text, "attempts": 1, "nextDial": 1,
				"connections": []any{map[string]any{
					"number": 1, "address": text, "direction": text, "verified": true, "session": text,
				}},
			},
		})
		log = append(log, map[string]any{"seq": i + 1, "t": 1, "mood": "info", "kind": text, "peer": text, "text": text})
		tree = append(tree, map[string]any{
			"actor": text, "peer": text, "name": text, "direction": text, "state": "verified", "since": 1,
		})
	}
	silent := map[string]any{
		"id": "", "name": "", "alias": "", "address": "127.0.0.1:1", "addresses": []string{}, "role": "", "agent": "",
		"state": "waiting", "persistent": true, "session": "", "lastError": "x", "attempts": 1, "nextDial": 1,
		"connections": []any{},
	}
	peers = append(peers, map[string]any{"k": "@127.0.0.1:1", "n": make([]int, 8), "c": nil, "f": silent})
	hello = map[string]any{
		"instance": "1", "version": hostileTexts[0], "history": []any{}, "drops": []any{},
		"identity": map[string]any{"id": strings.Repeat("a", 32), "name": hostileTexts[2]},
	}
	tick = map[string]any{
		"t": 1, "row": make([]int, 11), "state": "accepting", "address": hostileTexts[0], "auth": "open", "uptime": 1,
		"established": len(peers), "max": 100, "known": 1, "heap": 1, "goroutines": 1, "pending": 0,
		"counters": map[string]int{"messagesReceived": 1, "messagesSent": 1}, "listed": len(peers), "full": true,
		"peers": peers, "gone": []string{},
		"tree": map[string]any{"registry": hostileTexts[0], "total": len(tree), "restarts": 0, "stopped": 0},
	}
	return hello, tick, log, tree
}
