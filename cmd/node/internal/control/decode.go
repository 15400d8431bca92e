package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// decode reads a JSON object into question, a pointer to a struct; no bytes stand for an empty object. Unlike
// json.Unmarshal it refuses keys that are unknown, repeated or differ in case, null in place of a value, and the lack
// of a required key.
func decode(body io.Reader, question any) error {
	data, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return TooLarge(tooLarge.Limit - bodySlack)
	case err != nil:
		return usage("the request is incomplete: %v", err)
	case !utf8.Valid(data):
		return usage("the request is not UTF-8: encode binary data, for example as base64")
	}
	if len(data) == 0 {
		data = []byte("{}")
	}
	if err := checkKeys(data, keysOf(reflect.TypeOf(question).Elem())); err != nil {
		return err
	}
	err = json.Unmarshal(data, question)
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return usage("key %q is a %s: it must be %s", wrong.Field, wrong.Value, described(wrong.Type))
	}
	return err
}

// key is a key of a request.
type key struct {
	name     string
	required bool
	nullable bool // null is a value
}

// keysOf returns the keys of a request's struct, in its order.
func keysOf(question reflect.Type) []key {
	keys := make([]key, 0, question.NumField())
	for field := range question.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, key{
			name: name, required: options != "omitempty", nullable: field.Type == reflect.TypeFor[json.RawMessage](),
		})
	}
	return keys
}

func checkKeys(data []byte, keys []key) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return usage("the request is not a JSON object: its keys are %s", listed(keys))
	}
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return malformed(err)
		}
		name, _ := token.(string) // the decoder accepts nothing else
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		var value json.RawMessage
		switch err := d.Decode(&value); {
		case err != nil:
			return malformed(err)
		case i < 0:
			return usage("unknown key %.64q: the keys are %s", name, listed(keys))
		case seen[name]:
			return usage("key %q is there twice", name)
		case string(value) == "null" && !keys[i].nullable:
			return usage("key %q is null: give it a value, or leave it out", name)
		}
		seen[name] = true
	}
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return usage("the request has more than one JSON value")
	}
	for _, k := range keys {
		if k.required && !seen[k.name] {
			return usage("key %q is missing", k.name)
		}
	}
	return nil
}

func malformed(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return usage("the request is not valid JSON: %v", err)
}

func listed(keys []key) string {
	if len(keys) == 0 {
		return "none"
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

// described names the JSON of a type, for errors.
func described(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array of strings"
	default:
		return "a whole number"
	}
}
