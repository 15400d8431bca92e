//go:build unix

package blackbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// description is docs/openapi.json. In its schemas no object has further keys, although the published ones of answers
// permit them to later versions.
type description struct {
	t        *testing.T
	paths    map[string]any
	compiler *jsonschema.Compiler
	answered map[string]bool // METHOD PATH with an answer 200
}

func readDescription(t *testing.T) *description {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.json")
	var doc any
	if err == nil {
		doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	root := doc.(map[string]any)
	for _, schema := range root["components"].(map[string]any)["schemas"].(map[string]any) {
		if s := schema.(map[string]any); s["properties"] != nil {
			s["additionalProperties"] = false
		}
	}
	d := &description{
		t: t, paths: root["paths"].(map[string]any), compiler: jsonschema.NewCompiler(), answered: make(map[string]bool),
	}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// operation returns the description of a request.
func (d *description) operation(method, path string) (operation map[string]any, at string) {
	d.t.Helper()
	methods, _ := d.paths[path].(map[string]any)
	operation, ok := methods[strings.ToLower(method)].(map[string]any)
	if !ok {
		d.t.Fatalf("%s %s is not described", method, path)
	}
	return operation, "#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
}

// fits validates a JSON text by the schema at a pointer.
func (d *description) fits(pointer string, text []byte) error {
	d.t.Helper()
	schema, err := d.compiler.Compile("openapi.json" + pointer)
	if err != nil {
		d.t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	return err
}

// socketClient returns an HTTP client of a node's control socket.
func socketClient(n *node) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", n.Hello.Str("control"))
		},
	}}
}

// open sends a request and requires a described status.
func (d *description) open(n *node, method, target, body string, status int) *http.Response {
	d.t.Helper()
	path, _, _ := strings.Cut(target, "?")
	operation, at := d.operation(method, path)
	if operation["requestBody"] != nil && status == http.StatusOK {
		if err := d.fits(at+"/requestBody/content/application~1json/schema", []byte(body)); err != nil {
			d.t.Errorf("%s %s: the request %s does not fit: %v", method, target, body, err)
		}
	}
	request, err := http.NewRequestWithContext(d.t.Context(), method, "http://node"+target, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := socketClient(n).Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	responses := operation["responses"].(map[string]any)
	if responses[strconv.Itoa(response.StatusCode)] == nil || response.StatusCode != status {
		text, _ := io.ReadAll(response.Body)
		d.t.Fatalf("%s %s: status %d, want %d, described are %d: %s",
			method, target, response.StatusCode, status, len(responses), text)
	}
	if status == http.StatusOK {
		d.answered[method+" "+path] = true
	}
	return response
}

// call sends a request, validates the answer and returns it. Errors must have a described code.
func (d *description) call(n *node, method, target, body string, status int) []byte {
	d.t.Helper()
	response := d.open(n, method, target, body, status)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	path, _, _ := strings.Cut(target, "?")
	operation, at := d.operation(method, path)
	pointer := fmt.Sprintf("%s/responses/%d/content/application~1json/schema", at, status)
	if err := d.fits(pointer, text); err != nil {
		d.t.Errorf("%s %s: %s does not fit: %v", method, target, text, err)
	}
	if status != http.StatusOK {
		var failure struct{ Code string }
		_ = json.Unmarshal(text, &failure) // it fits the schema
		described := operation["responses"].(map[string]any)[strconv.Itoa(status)].(map[string]any)["x-codes"].([]any)
		if !slices.Contains(described, any(failure.Code)) {
			d.t.Errorf("%s %s: code %s, described are %v", method, target, failure.Code, described)
		}
	}
	return text
}

// TestAnswersFitTheDescription: each described request gets a described answer from a running node, without keys that
// the description lacks, and vice versa.
func TestAnswersFitTheDescription(t *testing.T) {
	t.Parallel()
	d := readDescription(t)
	a := start(t)
	b := start(t, "--peer", a.Address())
	meet(a, b)
	stream := d.open(a, "GET", "/v1/events", "", 200)
	lines := bufio.NewReader(stream.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != ": open\n" {
		t.Fatalf("%q, %v", first, err)
	}
	for _, path := range []string{"status", "peers", "config", "auth", "allowlist", "pending", "report", "openapi.json"} {
		d.call(a, "GET", "/v1/"+path, "", 200)
		d.call(a, "GET", "/v1/"+path+"?x=1", "", 400)
	}
	handler := d.open(b, "POST", "/v1/handle", `{"type":"job"}`, 200)
	d.call(b, "POST", "/v1/handle", `{"type":"job"}`, 409)
	d.answerRequest(a, b, handler)
	d.useAll(a, b)
	c := start(t)
	d.call(a, "POST", "/v1/connect", `{"address":"`+c.Address()+`"}`, 200)
	d.call(a, "GET", "/v1/peers?limit=1&connected=true", "", 200)
	d.call(a, "POST", "/v1/disconnect", `{"peer":"`+c.ID()+`"}`, 200)
	a.Stop()
	d.readEvents(lines)
	members := newShared(t)
	members.start("one", "two")
	d.call(members.members["one"], "GET", "/v1/members", "", 200)
	d.call(members.members["one"], "GET", "/v1/overview?limit=1", "", 200)
	d.call(members.members["one"], "GET", "/v1/overview?limit=251", "", 400)
	d.call(members.members["one"], "POST", "/v1/drain", `{}`, 200)
	for path, methods := range d.paths {
		for method := range methods.(map[string]any) {
			if name := strings.ToUpper(method) + " " + path; !d.answered[name] {
				t.Errorf("%s is described, and this test has no answer 200", name)
			}
		}
	}
}

// useAll sends requests with bodies to a, about its peer b, and at last revokes and forgets b.
func (d *description) useAll(a, b *node) {
	d.t.Helper()
	bob := `{"peer":"` + b.ID() + `"`
	key := `{"keys":["` + b.Hello.Str("publicKey") + `"]}`
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{"resolve", bob + `}`, 200},
		{"resolve", `{"peer":"stranger"}`, 404},
		{"send", bob + `,"type":"chat","payload":[1],"replyTo":"x","timeoutMs":5000}`, 200},
		{"send", bob + `}`, 400},
		{"send", bob + `,"type":"chat","payload":"` + strings.Repeat("x", 2<<20) + `"}`, 413},
		{"broadcast", `{"type":"chat","role":"dual"}`, 200},
		{"request", bob + `,"type":"get_stats"}`, 502},
		{"request", bob + `,"type":"unheard","timeoutMs":1}`, 504},
		{"ping", bob + `}`, 200},
		{"handle", `{"type":"pong"}`, 400},
		{"allow", key, 200},
		{"auth", `{"auth":"allowlist"}`, 200},
		{"auth", `{"auth":"closed"}`, 400},
		{"auth", `{"auth":"open"}`, 200},
		{"alias", bob + `,"alias":"bob"}`, 200},
		{"connect", `{"address":"127.0.0.1:1","timeoutMs":9000}`, 409},
		{"reload", `{}`, 200},
		{"revoke", key, 200},
		{"send", bob + `,"type":"chat"}`, 409},
		{"forget", `{"peers":["bob"]}`, 200},
	} {
		d.call(a, "POST", "/v1/"+c.path, c.body, c.status)
	}
}

// answerRequest sends a request from a to the handler at b, and answers it.
func (d *description) answerRequest(a, b *node, handler *http.Response) {
	d.t.Helper()
	asked := make(chan []byte)
	go func() {
		body := `{"peer":"` + b.ID() + `","type":"job","payload":7}`
		response, err := socketClient(a).Post("http://node/v1/request", "", strings.NewReader(body))
		var text []byte
		if err == nil {
			text, _ = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		asked <- text
	}()
	lines := bufio.NewReader(handler.Body)
	var event struct{ Message struct{ ID, From string } }
	for event.Message.ID == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			d.t.Fatal(err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			_ = json.Unmarshal([]byte(data), &event)
		}
	}
	_ = handler.Body.Close()
	d.call(b, "POST", "/v1/send",
		`{"peer":"`+event.Message.From+`","type":"job_reply","payload":49,"replyTo":"`+event.Message.ID+`"}`, 200)
	text := <-asked
	if err := d.fits("#/components/schemas/Message", text); err != nil || !strings.Contains(string(text), `"payload":49`) {
		d.t.Errorf("the reply %s: %v", text, err)
	}
	d.answered["POST /v1/request"] = true
}

// readEvents validates all events of a stream. The last is stopped.
func (d *description) readEvents(lines *bufio.Reader) {
	d.t.Helper()
	seen := make(map[string]int)
	last := ""
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		name, named := strings.CutPrefix(line, "event: ")
		if named {
			last = strings.TrimSpace(name)
			seen[last]++
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := d.fits("#/components/schemas/Event", []byte(data)); err != nil {
				d.t.Errorf("event %s does not fit: %v", data, err)
			}
		}
	}
	for _, name := range []string{"peer_down", "peer_up", "stopped"} {
		if seen[name] == 0 {
			d.t.Errorf("no event %s: %v", name, seen)
		}
	}
	if last != "stopped" {
		d.t.Errorf("the last event is %s", last)
	}
}
