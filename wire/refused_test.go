package wire

import (
	"errors"
	"strings"
	"testing"
)

func TestDecodeRefuses(t *testing.T) {
	const head = `{"id":"a","type":"b","ts":"` + stamp + `"`
	tests := map[string]struct{ data, why string }{
		"nothing":            {``, `not a JSON object`},
		"spaces":             {" \n", `not a JSON object`},
		"array":              {`[` + head + `}]`, `not a JSON object`},
		"string":             {`"id"`, `not a JSON object`},
		"null":               {`null`, `not a JSON object`},
		"byte order mark":    {"\xef\xbb\xbf" + head + `}`, `not a JSON object`},
		"empty object":       {`{}`, `no id`},
		"no end":             {head, `no comma or closing bracket at byte 58`},
		"two messages":       {head + `}{}`, `something after the message at byte 59`},
		"trailing comma":     {head + `,}`, `no string at byte 59`},
		"missing comma":      {head + ` "from":""}`, `no comma or closing bracket at byte 59`},
		"missing colon":      {head + `,"from" ""}`, `no colon after a key at byte 66`},
		"key without quotes": {head + `,from:""}`, `no string at byte 59`},
		"cut in a key":       {`{"id`, `string without an end at byte 4`},
		"cut after a colon":  {`{"id":`, `no string at byte 6`},
		"no id":              {`{"type":"b","ts":"` + stamp + `"}`, `no id`},
		"empty id":           {head + `,"id":""}`, `no id`},
		"id in another case": {`{"ID":"a","type":"b","ts":"` + stamp + `"}`, `no id`},
		"id is a number":     {head + `,"id":1}`, `no string at byte 64`},
		"id of 65 bytes":     {head + `,"id":"` + strings.Repeat("i", 65) + `"}`, `id is longer than 64 bytes: "` + strings.Repeat("i", 64) + `"...`},
		"id too long by U+FFFD": {head + `,"id":"` + strings.Repeat("\xff", 22) + `"}`,
			`id is longer than 64 bytes: "` + strings.Repeat(`\ufffd`, 21) + `\xef"...`},
		"id of 700 KB":        {head + `,"id":"` + strings.Repeat(`\n`, 350_000) + `"}`, `id is longer than 64 bytes: "` + strings.Repeat(`\\n`, 32) + `"...`},
		"no type":             {`{"id":"a","ts":"` + stamp + `"}`, `no type`},
		"empty type":          {head + `,"type":""}`, `no type`},
		"type is an object":   {head + `,"type":{}}`, `no string at byte 66`},
		"no ts":               {`{"id":"a","type":"b"}`, `no ts`},
		"ts null":             {`{"id":"a","type":"b","ts":null}`, `no ts`},
		"ts a number":         {head + `,"ts":1773234159}`, `no string at byte 64`},
		"ts no time":          {head + `,"ts":"yesterday"}`, `ts is not RFC 3339: "yesterday"`},
		"ts with an escape":   {head + `,"ts":"2026\u002d03-11T13:02:39Z"}`, `ts is not RFC 3339: "2026\\u002d03-11T13:02:39Z"`},
		"earlier ts no time":  {`{"ts":"",` + head[1:] + `}`, `ts is not RFC 3339: ""`},
		"ts of 1000 bytes":    {head + `,"ts":"` + strings.Repeat("é", 500) + `"}`, `ts is not RFC 3339: "` + strings.Repeat(`\u00e9`, 32) + `"...`},
		"from an array":       {head + `,"from":[]}`, `no string at byte 66`},
		"nullx":               {head + `,"from":nullx}`, `no comma or closing bracket at byte 70`},
		"earlier from wrong":  {head + `,"from":1,"from":"f"}`, `no string at byte 66`},
		"no value":            {head + `,"payload":}`, `no JSON value at byte 69`},
		"payload cut":         {head + `,"payload":[1,`, `JSON ends early at byte 72`},
		"wrong bracket":       {head + `,"payload":[1}}`, `no comma or closing bracket at byte 71`},
		"comma in an array":   {head + `,"payload":[1,]}`, `no JSON value at byte 72`},
		"comma in an object":  {head + `,"payload":{"a":1,}}`, `no string at byte 76`},
		"comma first":         {head + `,"payload":[,1]}`, `no JSON value at byte 70`},
		"number as key":       {head + `,"payload":{1:1}}`, `no string at byte 70`},
		"bad word":            {head + `,"payload":nul}`, `no JSON value at byte 69`},
		"leading zero":        {head + `,"payload":01}`, `no comma or closing bracket at byte 70`},
		"plus":                {head + `,"payload":+1}`, `no JSON value at byte 69`},
		"only minus":          {head + `,"payload":-}`, `number without a digit at byte 70`},
		"point at the end":    {head + `,"payload":1.}`, `number without a digit at byte 71`},
		"empty exponent":      {head + `,"payload":1e+}`, `number without a digit at byte 72`},
		"single quotes":       {head + `,"from":'f'}`, `no string at byte 66`},
		"escaped apostrophe":  {head + `,"from":"\'"}`, `unknown escape in a string at byte 67`},
		"short \\u":           {head + `,"from":"\u12g4"}`, `unknown escape in a string at byte 67`},
		"cut \\u":             {head + `,"from":"\u12`, `unknown escape in a string at byte 67`},
		"newline in a string": {head + `,"from":"` + "\n" + `"}`, `control character in a string at byte 67`},
		"NUL in an ignored":   {head + `,"x":["long enough for words` + "\x00" + `"]}`, `control character in a string at byte 88`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := Decode([]byte(tt.data))
			if m != nil || !errors.Is(err, ErrMalformed) {
				t.Fatalf("got %+v, %v", m, err)
			}
			if want := "malformed message: " + tt.why; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// Every cut of a message is refused, and without reading past its end.
func TestDecodeRefusesEveryCut(t *testing.T) {
	for name, data := range frameSeeds(t) {
		for n := range data {
			if _, err := Decode(data[:n:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
	}
}
