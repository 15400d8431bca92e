package wire

import (
	"errors"
	"strings"
	"testing"
)

// minimal is the shortest message, 58 bytes without its closing bracket.
const minimal = `{"id":"a","type":"b","ts":"` + timestamp + `"`

// refusal is a message and the expected error text.
type refusal struct{ data, why string }

func checkRefused(t *testing.T, tests map[string]refusal) {
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

func TestDecodeRefusesInvalidEnvelopes(t *testing.T) {
	checkRefused(t, map[string]refusal{
		"empty object":       {`{}`, `missing id`},
		"no id":              {`{"type":"b","ts":"` + timestamp + `"}`, `missing id`},
		"empty id":           {minimal + `,"id":""}`, `missing id`},
		"id in another case": {`{"ID":"a","type":"b","ts":"` + timestamp + `"}`, `missing id`},
		"id is a number":     {minimal + `,"id":1}`, `expected a string at byte 64`},
		"id of 65 bytes": {
			minimal + `,"id":"` + strings.Repeat("i", 65) + `"}`,
			`id is longer than 64 bytes: "` + strings.Repeat("i", 64) + `"...`,
		},
		"id too long by U+FFFD": {
			minimal + `,"id":"` + strings.Repeat("\xff", 22) + `"}`,
			`id is longer than 64 bytes: "` + strings.Repeat(`\ufffd`, 21) + `\xef"...`,
		},
		"id of 700 KB": {
			minimal + `,"id":"` + strings.Repeat(`\n`, 350_000) + `"}`,
			`id is longer than 64 bytes: "` + strings.Repeat(`\\n`, 32) + `"...`,
		},
		"no type":           {`{"id":"a","ts":"` + timestamp + `"}`, `missing type`},
		"empty type":        {minimal + `,"type":""}`, `missing type`},
		"type is an object": {minimal + `,"type":{}}`, `expected a string at byte 66`},
		"no ts":             {`{"id":"a","type":"b"}`, `missing ts`},
		"ts null":           {`{"id":"a","type":"b","ts":null}`, `missing ts`},
		"ts a number":       {minimal + `,"ts":1773234159}`, `expected a string at byte 64`},
		"ts no time":        {minimal + `,"ts":"yesterday"}`, `ts is not RFC 3339: "yesterday"`},
		"ts with an escape": {
			minimal + `,"ts":"2026\u002d03-11T13:02:39Z"}`,
			`ts is not RFC 3339: "2026\\u002d03-11T13:02:39Z"`,
		},
		"earlier ts no time": {`{"ts":"",` + minimal[1:] + `}`, `ts is not RFC 3339: ""`},
		"ts of 1000 bytes": {
			minimal + `,"ts":"` + strings.Repeat("é", 500) + `"}`,
			`ts is not RFC 3339: "` + strings.Repeat(`\u00e9`, 32) + `"...`,
		},
		"from an array":      {minimal + `,"from":[]}`, `expected a string at byte 66`},
		"earlier from wrong": {minimal + `,"from":1,"from":"f"}`, `expected a string at byte 66`},
	})
}

func TestDecodeRefusesInvalidJSON(t *testing.T) {
	checkRefused(t, map[string]refusal{
		"nothing":             {``, `not a JSON object`},
		"spaces":              {" \n", `not a JSON object`},
		"array":               {`[` + minimal + `}]`, `not a JSON object`},
		"string":              {`"id"`, `not a JSON object`},
		"null":                {`null`, `not a JSON object`},
		"byte order mark":     {"\xef\xbb\xbf" + minimal + `}`, `not a JSON object`},
		"no end":              {minimal, `expected a comma or closing bracket at byte 58`},
		"two messages":        {minimal + `}{}`, `data after the message at byte 59`},
		"trailing comma":      {minimal + `,}`, `expected a string at byte 59`},
		"missing comma":       {minimal + ` "from":""}`, `expected a comma or closing bracket at byte 59`},
		"missing colon":       {minimal + `,"from" ""}`, `expected a colon after a key at byte 66`},
		"key without quotes":  {minimal + `,from:""}`, `expected a string at byte 59`},
		"cut in a key":        {`{"id`, `unterminated string at byte 4`},
		"cut after a colon":   {`{"id":`, `expected a string at byte 6`},
		"nullx":               {minimal + `,"from":nullx}`, `expected a comma or closing bracket at byte 70`},
		"no value":            {minimal + `,"payload":}`, `expected a JSON value at byte 69`},
		"payload cut":         {minimal + `,"payload":[1,`, `unexpected end of JSON at byte 72`},
		"wrong bracket":       {minimal + `,"payload":[1}}`, `expected a comma or closing bracket at byte 71`},
		"comma in an array":   {minimal + `,"payload":[1,]}`, `expected a JSON value at byte 72`},
		"comma in an object":  {minimal + `,"payload":{"a":1,}}`, `expected a string at byte 76`},
		"comma first":         {minimal + `,"payload":[,1]}`, `expected a JSON value at byte 70`},
		"number as key":       {minimal + `,"payload":{1:1}}`, `expected a string at byte 70`},
		"bad word":            {minimal + `,"payload":nul}`, `expected a JSON value at byte 69`},
		"leading zero":        {minimal + `,"payload":01}`, `expected a comma or closing bracket at byte 70`},
		"plus":                {minimal + `,"payload":+1}`, `expected a JSON value at byte 69`},
		"only minus":          {minimal + `,"payload":-}`, `number without a digit at byte 70`},
		"point at the end":    {minimal + `,"payload":1.}`, `number without a digit at byte 71`},
		"empty exponent":      {minimal + `,"payload":1e+}`, `number without a digit at byte 72`},
		"single quotes":       {minimal + `,"from":'f'}`, `expected a string at byte 66`},
		"escaped apostrophe":  {minimal + `,"from":"\'"}`, `unknown escape in a string at byte 67`},
		"short \\u":           {minimal + `,"from":"\u12g4"}`, `unknown escape in a string at byte 67`},
		"cut \\u":             {minimal + `,"from":"\u12`, `unknown escape in a string at byte 67`},
		"newline in a string": {minimal + `,"from":"` + "\n" + `"}`, `control character in a string at byte 67`},
		"NUL in an ignored": {
			minimal + `,"x":["long enough for words` + "\x00" + `"]}`,
			`control character in a string at byte 86`,
		},
	})
}

// TestDecodeRefusesTruncatedMessages cuts messages at each byte and limits the capacity, so that a read beyond the
// end panics.
func TestDecodeRefusesTruncatedMessages(t *testing.T) {
	for name, data := range frameSeeds(t) {
		for n := range data {
			if _, err := Decode(data[:n:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
	}
}
