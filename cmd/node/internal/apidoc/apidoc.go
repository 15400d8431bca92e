// Package apidoc makes the OpenAPI 3.1 description of the control API from the operations of package control, the types
// of their bodies and the comments of these types. Only tests use it.
package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/Snider/go-p2p/cmd/node/internal/control"
)

// Event is an event of the streams. Value has the keys behind event and time.
type Event struct {
	Name  string
	Value any
}

// object is a JSON object.
type object = map[string]any

const description = `HTTP over the Unix socket control.sock in the data directory of a node. docs/api.md explains
stability, pages, streams, errors and limits. Requests are strict: an unknown key or parameter is refused. Programs
ignore unknown keys of answers. Besides the answers listed, a path that does not exist has status 404 (unknown_path),
and another method 405 (wrong_method).`

// Build returns the description as indented JSON.
func Build(operations []control.Operation, events []Event, comments Comments) ([]byte, error) {
	s := &schemas{comments: comments, all: make(object)}
	paths := make(object)
	for _, o := range operations {
		methods, ok := paths[o.Path].(object)
		if !ok {
			methods = make(object)
			paths[o.Path] = methods
		}
		methods[strings.ToLower(o.Method)] = s.operation(o)
	}
	s.events(events)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Control API of a go-p2p node", "version": "1",
			"description": strings.ReplaceAll(description, "\n", " "),
			"license":     object{"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
		},
		"servers":    []object{{"url": "http://node", "description": "HTTP over the Unix socket; the host has no meaning."}},
		"paths":      paths,
		"components": object{"schemas": s.all},
	})
	return out.Bytes(), err
}

func (s *schemas) operation(o control.Operation) object {
	out := object{"operationId": o.Name, "summary": o.Summary, "responses": s.responses(o)}
	var parameters []object
	for _, p := range o.Parameters {
		parameters = append(parameters, object{
			"name": p.Name, "in": "query", "description": p.Summary, "schema": parameterSchema(p),
		})
	}
	if parameters != nil {
		out["parameters"] = parameters
	}
	if o.Question != nil {
		question := reflect.TypeOf(o.Question)
		schema := s.of(question)
		s.close(question)
		out["requestBody"] = object{
			"required": s.needsBody(question), "content": object{"application/json": object{"schema": schema}},
		}
	}
	return out
}

func parameterSchema(p control.Parameter) object {
	schema := object{"type": "string"}
	switch {
	case p.Max > 0:
		schema = object{"type": "integer", "minimum": p.Min, "maximum": p.Max}
	case p.Values != nil:
		schema["enum"] = p.Values
	}
	if p.Repeatable {
		return object{"type": "array", "items": schema}
	}
	return schema
}

func (s *schemas) responses(o control.Operation) object {
	answer := object{"description": "The answer."}
	if o.Answer == nil {
		answer["description"] = "Server-sent events. Each line data: has a JSON object of the schema Event."
		answer["content"] = object{"text/event-stream": object{"schema": object{"type": "string"}}}
	} else {
		answer["content"] = object{"application/json": object{"schema": s.of(reflect.TypeOf(o.Answer))}}
	}
	responses := object{"200": answer}
	byStatus := make(map[int][]string)
	for _, code := range slices.Concat(control.CommonCodes(o.Question != nil), o.Codes) {
		byStatus[code.Status()] = append(byStatus[code.Status()], string(code))
	}
	failure := s.of(reflect.TypeFor[control.Error]())
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		codes := byStatus[status]
		responses[strconv.Itoa(status)] = object{
			"description": fmt.Sprintf("%s. Codes: %s.", http.StatusText(status), strings.Join(codes, ", ")),
			"content":     object{"application/json": object{"schema": failure}},
			"x-codes":     codes,
		}
	}
	return responses
}

// events adds a schema for each event, and Event for any of them.
func (s *schemas) events(events []Event) {
	var each []object
	mapping := make(object)
	for _, e := range events {
		name := eventSchema(e.Name)
		schema := s.structure(reflect.TypeOf(e.Value))
		properties := schema["properties"].(object)
		properties["event"] = object{"const": e.Name}
		properties["time"] = object{"type": "string", "format": "date-time"}
		schema["required"] = append([]string{"event", "time"}, schema["required"].([]string)...)
		s.all[name] = schema
		each = append(each, object{"$ref": reference(name)})
		mapping[e.Name] = reference(name)
	}
	s.all["Event"] = object{
		"description":   "An event of a stream. Further names may be added.",
		"oneOf":         each,
		"discriminator": object{"propertyName": "event", "mapping": mapping},
	}
}

// eventSchema returns the name of the schema of an event: PeerUpEvent for peer_up.
func eventSchema(event string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(event, "_") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String() + "Event"
}

func reference(name string) string { return "#/components/schemas/" + name }
