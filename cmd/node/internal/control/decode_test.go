package control

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecodeNamesTheFault(t *testing.T) {
	type question struct {
		Name string          `json:"name"`
		Any  json.RawMessage `json:"any,omitempty"`
		Ms   int64           `json:"ms,omitempty"`
		List []string        `json:"list,omitempty"`
		On   bool            `json:"on,omitempty"`
	}
	for body, want := range map[string]string{
		`{"name":"x","any":null,"ms":5,"list":["a"],"on":true}`: "",
		` {"name":""} `:       "",
		``:                    `key "name" is missing`,
		`{}`:                  `key "name" is missing`,
		`null`:                "the request is not a JSON object: its keys are name, any, ms, list, on",
		`[1]`:                 "the request is not a JSON object",
		`"x"`:                 "the request is not a JSON object",
		`name=x`:              "the request is not a JSON object",
		`{"name":"x"`:         "the request is not valid JSON: unexpected EOF",
		`{"name":}`:           "the request is not valid JSON: invalid character",
		`{name:1}`:            "the request is not valid JSON: invalid character",
		`{"name":"x"} {}`:     "the request has more than one JSON value",
		`{"Name":"x"}`:        `unknown key "Name": the keys are name, any, ms, list, on`,
		`{"nam\u0065":"x"}`:   "",
		`{"name":"x","x":{}}`: `unknown key "x"`,
		`{"name":"x","` + strings.Repeat("k", 99) + `":1}`: `unknown key "` + strings.Repeat("k", 64) + `":`,
		`{"name":"x","name":"y"}`:                          `key "name" is there twice`,
		`{"name":null}`:                                    `key "name" is null: give it a value, or leave it out`,
		`{"name":7}`:                                       `key "name" is a number: it must be a string`,
		`{"name":"x","ms":1.5}`:                            `key "ms" is a number 1.5: it must be a whole number`,
		`{"name":"x","ms":"1"}`:                            `key "ms" is a string: it must be a whole number`,
		`{"name":"x","ms":1e99}`:                           `key "ms" is a number 1e99: it must be a whole number`,
		`{"name":"x","on":0}`:                              `key "on" is a number: it must be true or false`,
		`{"name":"x","list":{}}`:                           `key "list" is a object: it must be an array of strings`,
		"{\"name\":\"\xff\"}":                              "the request is not UTF-8",
		`{"name":"x","any":` + strings.Repeat("[", 99999):  "the request is not valid JSON",
	} {
		var q question
		err := decode(strings.NewReader(body), &q)
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", body, err, want)
		}
	}
}

func TestDecodeTakesNoBodyWithoutRequiredKeys(t *testing.T) {
	if err := decode(strings.NewReader(""), &struct{}{}); err != nil {
		t.Error(err)
	}
	const want = `unknown key "x": the keys are none`
	if err := decode(strings.NewReader(`{"x":1}`), &struct{}{}); err == nil || err.Error() != want {
		t.Error(err)
	}
}
