package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/feed"
	"github.com/Snider/go-p2p/supervisor"
)

// answer returns the answer of a handler to one request.
func answer(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	return recorder
}

// refusal decodes the error of an answer.
func refusal(t *testing.T, r *httptest.ResponseRecorder) (e Error) {
	t.Helper()
	if err := json.Unmarshal(r.Body.Bytes(), &e); err != nil || e.Message == "" || r.Code != e.Code.Status() ||
		r.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %s, %v", r.Code, r.Body, err)
	}
	return e
}

func TestRefusalsNameTheRemedy(t *testing.T) {
	h := NewHandler(&fakeNode{}, 1<<10)
	for _, c := range []struct {
		method, path, body string
		code               Code
		says               string
	}{
		{"GET", "/", "", CodeUnknownPath, `no path "/"`},
		{"GET", "/v2/status", "", CodeUnknownPath, `no path "/v2/status"`},
		{"GET", "/v1/status/", "", CodeUnknownPath, `no path "/v1/status/"`},
		{"GET", "//v1/status", "", CodeUnknownPath, `no path "//v1/status"`},
		{"GET", "/v1/known", "", CodeUnknownPath, `no path "/v1/known"`},
		{"GET", "/" + strings.Repeat("x", 999), "", CodeUnknownPath, `no path "/` + strings.Repeat("x", 127) + `"`},
		{"POST", "/v1/status", "", CodeWrongMethod, `/v1/status has no method "POST": use GET`},
		{"HEAD", "/v1/status", "", CodeWrongMethod, `use GET`},
		{"DELETE", "/v1/auth", "", CodeWrongMethod, `use GET, POST`},
		{"GET", "/v1/status?x=1", "", CodeUsage, `unknown parameter "x": the parameters are member`},
		{"POST", "/v1/send?peer=bob", "{}", CodeUsage, `unknown parameter "peer": the parameters are none`},
		{"GET", "/v1/peers?Limit=1", "", CodeUsage, `unknown parameter "Limit": the parameters are limit, after, connected`},
		{"GET", "/v1/peers?limit=0", "", CodeUsage, `limit "0": must be a whole number from 1 to 1000`},
		{"GET", "/v1/peers?limit=1001", "", CodeUsage, `limit "1001": must be`},
		{"GET", "/v1/peers?limit=", "", CodeUsage, `limit "": must be`},
		{"GET", "/v1/peers?limit=1&limit=2", "", CodeUsage, `parameter limit is there 2 times: give it once`},
		{"GET", "/v1/peers?connected=yes", "", CodeUsage, `connected "yes": must be true or false`},
		{"GET", "/v1/peers?limit=%zz", "", CodeUsage, `the parameters cannot be decoded: invalid URL escape`},
		{"GET", "/v1/events?format=xml", "", CodeUsage, `format "xml": must be json or text`},
		{"POST", "/v1/send", strings.Repeat(" ", 1<<10+bodySlack+1), CodeTooLarge, "it has more than 1KiB"},
		{"POST", "/v1/send", `{"peer":"bob"}`, CodeUsage, `key "type" is missing`},
		{"POST", "/v1/send", `{"peer":"bob","type":"chat","role":"worker"}`, CodeUsage, `unknown key "role"`},
		{"POST", "/v1/broadcast", `{"peer":"bob","type":"chat"}`, CodeUsage, `unknown key "peer"`},
	} {
		r := answer(h, c.method, c.path, c.body)
		if e := refusal(t, r); e.Code != c.code || !strings.Contains(e.Message, c.says) || len(e.Message) > 300 {
			t.Errorf("%s %.40s: %+v; want %s, %q", c.method, c.path, e, c.code, c.says)
		}
		if r.Header().Get("Allow") == "" && c.code == CodeWrongMethod {
			t.Errorf("%s %s: no header Allow", c.method, c.path)
		}
	}
}

// A request beyond the limit is refused at once; when one ends, the next is taken.
func TestRequestsBeyondTheLimitAreRefused(t *testing.T) {
	node := &fakeNode{block: true}
	h := NewHandler(node, 1<<10)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range maxRunning {
		running.Go(func() {
			body := strings.NewReader(`{"peer":"bob","type":"chat"}`)
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/request", body).WithContext(ctx))
		})
	}
	for len(h.running) < maxRunning {
		// the requests are about to start
	}
	r := answer(h, "GET", "/v1/status", "")
	if e := refusal(t, r); e.Code != CodeBusy || e.Advice == "" || r.Header().Get("Retry-After") != "1" {
		t.Errorf("%+v, %v", e, r.Header())
	}
	cancel()
	running.Wait()
	if r := answer(h, "GET", "/v1/status", ""); r.Code != http.StatusOK {
		t.Errorf("afterwards: %d, %s", r.Code, r.Body)
	}
}

func TestStreamsBeyondTheLimitAreRefused(t *testing.T) {
	node := &fakeNode{feed: newFakeFeed()}
	for range feed.MaxStreams {
		if _, err := node.feed.Watch(feed.Filter{}, false); err != nil {
			t.Fatal(err)
		}
	}
	h := NewHandler(node, 1<<10)
	for path, body := range map[string]string{"/v1/events": "", "/v1/handle": `{"type":"job"}`} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		const want = "too many event streams are open: 64"
		if e := refusal(t, answer(h, method, path, body)); e.Code != CodeBusy || e.Message != want || e.Advice == "" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// A request of a node that stops is not the fault of the request.
func TestStoppingNodeSaysSo(t *testing.T) {
	for _, err := range []error{context.Canceled, supervisor.ErrStopped, feed.ErrClosed} {
		h := NewHandler(&fakeNode{err: errors.Join(errors.New("x"), err)}, 1<<10)
		if e := refusal(t, answer(h, "GET", "/v1/status", "")); e.Code != CodeStopping {
			t.Errorf("%v: %+v", err, e)
		}
	}
}

func TestErrorsHaveTheAdviceOfTheirCode(t *testing.T) {
	h := NewHandler(&fakeNode{err: supervisor.ErrQueueFull}, 1<<10)
	e := refusal(t, answer(h, "POST", "/v1/send", `{"peer":"bob","type":"chat"}`))
	if e.Code != CodeQueueFull || !strings.Contains(e.Advice, "try again later") {
		t.Errorf("%+v", e)
	}
}

// A web page reaches the socket if a program forwards a TCP port to it.
func TestRequestsOfWebPagesAreRefused(t *testing.T) {
	h := NewHandler(&fakeNode{}, 1<<10)
	for _, header := range []string{"Origin", "Sec-Fetch-Site"} {
		for _, c := range [][3]string{
			{"GET", "/v1/auth", ""}, {"POST", "/v1/auth", `{"auth":"open"}`}, {"GET", "/v1/events", ""}, {"GET", "/x", ""},
		} {
			recorder, request := httptest.NewRecorder(), httptest.NewRequest(c[0], c[1], strings.NewReader(c[2]))
			request.Header.Set(header, "same-origin")
			h.ServeHTTP(recorder, request)
			if e := refusal(t, recorder); e.Code != CodeUsage || !strings.Contains(e.Message, "web pages") {
				t.Errorf("%s %s with %s: %+v", c[0], c[1], header, e)
			}
		}
	}
}

func TestAnswersEscapeUnprintableText(t *testing.T) {
	recorder := httptest.NewRecorder()
	reply(recorder, map[string]string{"name": "\u009b31m\u202e\x7f"}, nil)
	if got, want := recorder.Body.String(), `{"name":"\u009b31m\u202e\u007f"}`; got != want {
		t.Errorf("answers %q, want %q", got, want)
	}
}
