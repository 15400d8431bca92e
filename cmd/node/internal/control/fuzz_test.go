package control

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzControl sends arbitrary requests. The handler answers each, and a bad request is never status 5xx.
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
	f.Add("GET", "/v1/status", "")
	f.Add("DELETE", "/v1/peers", "x")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		request, err := http.NewRequest(method, "http://node/", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		request.URL.Path = "/" + strings.TrimPrefix(path, "/")
		recorder := httptest.NewRecorder()
		NewHandler(&fakeNode{}, 1<<16).ServeHTTP(recorder, request)
		if recorder.Code >= 500 {
			t.Errorf("%s %q %q: status %d: %s", method, path, body, recorder.Code, recorder.Body)
		}
	})
}
