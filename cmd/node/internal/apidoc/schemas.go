package apidoc

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"
	"time"
)

// schemas collects the JSON schemas of types.
type schemas struct {
	comments Comments
	all      object // by the name of a type
}

// of returns the schema of a type, for a struct a reference.
func (s *schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return object{} // any JSON
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		return s.reference(t)
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint16, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	default:
		panic(fmt.Sprintf("no schema for %v", t))
	}
}

func (s *schemas) reference(t reflect.Type) object {
	name := nameOf(t)
	if s.all[name] == nil {
		s.all[name] = object{} // ends the recursion
		s.all[name] = s.structure(t)
	}
	return object{"$ref": reference(name)}
}

// nameOf returns the name of a struct's schema. The only request without a name has no keys.
func nameOf(t reflect.Type) string {
	if t.Name() == "" {
		return "EmptyRequest"
	}
	return t.Name()
}

// structure returns the schema of a struct with its exported fields.
func (s *schemas) structure(t reflect.Type) object {
	properties := make(object)
	required := []string{}
	for field := range t.Fields() {
		tag := field.Tag.Get("json")
		if !field.IsExported() || tag == "" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		schema := s.of(field.Type)
		if text := s.comments[key(t)+"."+field.Name]; text != "" {
			schema["description"] = text
		}
		if kind, simple := schema["type"].(string); simple && field.Type.Kind() == reflect.Pointer && options == "" {
			schema["type"] = []string{kind, "null"}
		}
		properties[name] = schema
		if options == "" {
			required = append(required, name)
		}
	}
	schema := object{"type": "object", "properties": properties, "required": required}
	if text := s.comments[key(t)]; text != "" {
		schema["description"] = text
	}
	return schema
}

// close forbids further keys: requests are strict.
func (s *schemas) close(t reflect.Type) { s.all[nameOf(t)].(object)["additionalProperties"] = false }

// needsBody reports whether a request has a required key.
func (s *schemas) needsBody(t reflect.Type) bool {
	return len(s.all[nameOf(t)].(object)["required"].([]string)) > 0
}

// key returns the package and the name of a type, as in Comments.
func key(t reflect.Type) string { return path.Base(t.PkgPath()) + "." + t.Name() }
