package wire

import (
	"errors"
	"strings"
	"testing"
)

// TestRecordDecoderRefusesInvalidMessages puts each message between two valid ones, which must arrive.
func TestRecordDecoderRefusesInvalidMessages(t *testing.T) {
	const id, ts = uuidForm, timeForm
	text := func(n int) string { return string(appendLEB128(nil, n)) + strings.Repeat("x", n) }
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	for name, tt := range map[string]struct {
		form string
		want error
	}{
		"no byte":                     {"", errNoForm},
		"one byte":                    {"\x00", errShort},
		"from 1":                      {"\x01\x0e" + id + ts + "1", errFlags},
		"from 2":                      {"\x02\x0e" + id + ts + "1", errFlags},
		"to 2":                        {"\x08\x0e" + id + ts + "1", errFlags},
		"bit 6":                       {"\x40\x0e" + id + ts + "1", errFlags},
		"bits 6 and 5":                {"\x60\x0e" + id + ts + id + "1", errFlags},
		"replyTo is text, but absent": {"\x80\x0e" + id + ts + "1", errFlags},
		"code 15":                     {"\x00\x0f" + id + ts + "1", errCode},
		"code 255":                    {"\x00\xff" + id + ts + "1", errCode},
		"UUID cut":                    {"\x00\x0e" + id[:15], errShort},
		"id of 0 bytes":               {"\x10\x0e" + text(0) + ts + "1", errText},
		"id of 65 bytes":              {"\x10\x0e" + text(65) + ts + "1", errText},
		"id is not UTF-8":             {"\x10\x0e\x01\xff" + ts + "1", errText},
		"id past the end":             {"\x10\x0e\x40x", errShort},
		"id without a length":         {"\x10\x0e", errText},
		"length is not minimal":       {"\x10\x0e\x81\x00x" + ts + "1", errText},
		"length of 6 bytes":           {"\x10\x0e\x81\x80\x80\x80\x80\x01x" + ts + "1", errText},
		"type of 0 bytes":             {"\x00\x00" + id + text(0) + ts + "1", errText},
		"type of 1025 bytes":          {"\x00\x00" + id + text(1025) + ts + "1", errText},
		"type is not UTF-8":           {"\x00\x00" + id + "\x02\xc3\x28" + ts + "1", errText},
		"from of 0 bytes":             {"\x03\x0e" + id + text(0) + ts + "1", errText},
		"from of 1025 bytes":          {"\x03\x0e" + id + text(1025) + ts + "1", errText},
		"from is a surrogate":         {"\x03\x0e" + id + "\x03\xed\xa0\x80" + ts + "1", errText},
		"to of 0 bytes":               {"\x0c\x0e" + id + text(0) + ts + "1", errText},
		"to of 1025 bytes":            {"\x0c\x0e" + id + text(1025) + ts + "1", errText},
		"to is not UTF-8":             {"\x0c\x0e" + id + "\x01\x80" + ts + "1", errText},
		"ts cut":                      {"\x00\x0e" + id + ts[:7], errShort},
		"replyTo cut":                 {"\x20\x0e" + id + ts + id[:15], errShort},
		"replyTo of 0 bytes":          {"\xa0\x0e" + id + ts + text(0) + "1", errText},
		"replyTo of 65 bytes":         {"\xa0\x0e" + id + ts + text(65) + "1", errText},
		"replyTo is not UTF-8":        {"\xa0\x0e" + id + ts + "\x01\xff1", errText},
		"no payload":                  {"\x00\x0e" + id + ts, errPayload},
		"white space as payload":      {"\x00\x0e" + id + ts + " \n", errPayload},
		"payload is not JSON":         {"\x00\x0e" + id + ts + "hi", errPayload},
		"payload is cut":              {"\x00\x0e" + id + ts + `"hi`, errPayload},
		"payload is a quote":          {"\x00\x0e" + id + ts + `"`, errPayload},
		"two payloads":                {"\x00\x0e" + id + ts + `1 2`, errPayload},
		"two strings":                 {"\x00\x0e" + id + ts + `"a""b"`, errPayload},
		"payload is not UTF-8":        {"\x00\x0e" + id + ts + "\"\xff\"", errPayload},
		"key is not UTF-8":            {"\x00\x0e" + id + ts + "{\"\xff\":1}", errPayload},
		"control character":           {"\x00\x0e" + id + ts + "\"a\x01\"", errPayload},
		"payload nests too deep":      {"\x00\x0e" + id + ts + deep, errPayload},
		"JSON is not UTF-8":           {minimal + ",\"from\":\"\xff\"}", errTextEncoding},
		"JSON is cut":                 {minimal, nil},
		"JSON without an id":          {`{"type":"b","ts":"` + timestamp + `"}`, nil},
		"JSON with data after it":     {minimal + "}\x00", nil},
		"JSON with an id too long":    {minimal + `,"id":"` + strings.Repeat("i", 65) + `"}`, nil},
	} {
		good := joinRecord(t, numbered(1, 9)...)
		record := append(append(append([]byte(nil), good...), withLength(tt.form)...), good...)
		results := decodeRecord(newTestDecoder(record))
		if len(results) != 3 || results[0].err != nil || results[2].err != nil {
			t.Errorf("%s: got %+v", name, results)
			continue
		}
		bad := results[1]
		if bad.m != nil || !errors.Is(bad.err, ErrMalformed) || tt.want != nil && bad.err != tt.want {
			t.Errorf("%s: got %+v, %v", name, bad.m, bad.err)
		}
		if bad.size != len(record)-2*len(good) {
			t.Errorf("%s: %d bytes", name, bad.size)
		}
	}
}

// TestRecordDecoderAcceptsLongerForms reads forms that AppendMessage does not write.
func TestRecordDecoderAcceptsLongerForms(t *testing.T) {
	want := &Message{testUUID, MsgChat, "alice", "bob", binaryTime0, null, testUUID}
	for name, form := range map[string]string{
		"type":    "\x20\x00" + uuidForm + "\x04chat" + timeForm + uuidForm + "null",
		"from":    "\x23\x0e" + uuidForm + "\x05alice" + timeForm + uuidForm + "null",
		"to":      "\x2c\x0e" + uuidForm + "\x03bob" + timeForm + uuidForm + "null",
		"id":      "\x30\x0e\x24" + testUUID + timeForm + uuidForm + "null",
		"replyTo": "\xa0\x0e" + uuidForm + timeForm + "\x24" + testUUID + "null",
		"payload": "\x20\x0e" + uuidForm + timeForm + uuidForm + " \t\r\nnull \t\r\n",
		"JSON": `{ "payload" : null , "replyTo":"` + testUUID + `","ts":"2026-03-11T13:02:39.123456789Z","x":[],` +
			`"to":"bob","from":"alice","type":"\u0063hat","id":"` + testUUID + `"} `,
	} {
		if got, err := decodeOne(withLength(form)); err != nil || !sameMessage(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// TestRecordDecoderRefusesTruncatedMessages cuts messages at each byte and limits the capacity, so that a read beyond
// the end panics.
func TestRecordDecoderRefusesTruncatedMessages(t *testing.T) {
	for name, tt := range binaryCases() {
		for n := range len(tt.form) {
			cut := withLength(tt.form[:n])
			m, err := decodeOne(cut[:len(cut):len(cut)])
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut to %d bytes: %+v, %v", name, n, m, err)
			}
			short := withLength(tt.form)
			if m, err := decodeOne(short[:n:n]); err != ErrRecord {
				t.Errorf("%s: record cut to %d bytes: %+v, %v", name, n, m, err)
			}
		}
	}
}

// A record of several messages has at most 64 KiB, since their memory grows with it. One message may be larger.
func TestRecordDecoderLimitsSeveralMessages(t *testing.T) {
	const largest = 64 << 10
	one := joinRecord(t, numbered(1, 9)...)
	head := len(joinRecord(t, numbered(1, 20<<10)...)) - 20<<10 // with a length of 3 bytes
	for size, want := range map[int]error{largest: nil, largest + 1: ErrRecord} {
		record := joinRecord(t, numbered(1, size-len(one)-head)...)
		if _, err := newTestDecoder(append(record, one...)).Next(); err != want {
			t.Errorf("two messages in %d bytes: %v, want %v", len(record)+len(one), err, want)
		}
		d := newTestDecoder(append(record, one...))
		if err := d.Skip(); err != want || d.More() == (want != nil) {
			t.Errorf("skipped in %d bytes: %v, more: %v", len(record)+len(one), err, d.More())
		}
		if _, err := newTestDecoder(joinRecord(t, numbered(1, size)...)).Next(); err != nil {
			t.Errorf("one message: %v", err)
		}
	}
}
