package control

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzControl sends arbitrary requests. The handler answers each with JSON, a refusal with code and message, and a bad
// request is never status 5xx.
func FuzzControl(f *testing.F) {
	f.Add("POST", "/v1/send", `{"peer":"bob","type":"chat","payload":{"a":[1]},"timeoutMs":1}`)
	f.Add("POST", "/v1/broadcast", `{"type":"chat","payload":null}`)
	f.Add("POST", "/v1/request", `{"peer":"bob","type":"`+"\xff"+`"}`)
	f.Add("POST", "/v1/ping", `{"peer":"bob","timeoutMs":9223372036854775807}`)
	f.Add("POST", "/v1/connect", `{"address":"ws://[::1%25x]:1/"}`)
	f.Add("POST", "/v1/disconnect", `{"peer":"twin","forget":true}`)
	f.Add("POST", "/v1/allow", `{"keys":["`+bobKey+`"]}`)
	f.Add("POST", "/v1/revoke", `{"keys":[null]}`)
	f.Add("POST", "/v1/auth", `{"auth":"open"} {}`)
	f.Add("POST", "/v1/reload", "")
	f.Add("POST", "/v1/handle", `{"type":"pong"}`)
	f.Add("GET", "/v1/peers?limit=5&after=~~&connected=true", "")
	f.Add("GET", "/v1/peers?limit=%zz", "")
	f.Add("GET", "/v1/events?events=x", "")
	f.Add("GET", "//v1/../status", "")
	f.Add("DELETE", "/v1/peers", "x")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		request, err := http.NewRequest(method, "http://node/", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		request.URL.Path, request.URL.RawQuery, _ = strings.Cut("/"+strings.TrimPrefix(path, "/"), "?")
		recorder := httptest.NewRecorder()
		node := &fakeNode{feed: newFakeFeed()}
		node.feed.Close(fakeEvent("stopped", "", ""))
		NewHandler(node, 1<<16).ServeHTTP(recorder, request)
		var answer any
		var refusal Error
		err = json.Unmarshal(recorder.Body.Bytes(), &answer)
		if recorder.Code != http.StatusOK && err == nil {
			err = json.Unmarshal(recorder.Body.Bytes(), &refusal)
		}
		if err != nil || refusal.Code.Status() >= 500 && refusal.Code != "" && refusal.Code != CodeStopping ||
			recorder.Code != http.StatusOK && (refusal.Message == "" || refusal.Code.Status() != recorder.Code) {
			t.Errorf("%s %q %q: status %d: %s", method, path, body, recorder.Code, recorder.Body)
		}
	})
}
