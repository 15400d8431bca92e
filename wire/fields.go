package wire

// field is a key of the envelope. They are numbered in the order in which
// everybody writes them.
type field int

const (
	fieldID field = iota
	fieldType
	fieldFrom
	fieldTo
	fieldTimestamp
	fieldPayload
	fieldReplyTo
	fieldOther // a key that is none of the envelope's
)

// usualKeys are the keys by field, each with its colon, as everybody writes them.
var usualKeys = [fieldOther]string{`"id":`, `"type":`, `"from":`, `"to":`, `"ts":`, `"payload":`, `"replyTo":`}

// skipKnownKey is skipKey, and says which field's key it was. It looks first
// for the field that usually comes next, and is right with nearly all messages.
func skipKnownKey(data []byte, i int, next field) (f field, end int, err error) {
	if next < fieldOther {
		if key := usualKeys[next]; len(data)-i >= len(key) && string(data[i:i+len(key)]) == key {
			return next, i + len(key), nil
		}
	}
	end, plain, err := skipString(data, i)
	if err != nil {
		return fieldOther, end, err
	}
	f = fieldNamed(text{data[i+1 : end-1], plain})
	end, err = skipColon(data, end)
	return f, end, err
}

// fieldNamed returns the field with exactly this key.
func fieldNamed(key text) field {
	const longestEscaped = len(`\u0072`) * len("replyTo")
	var room [longestEscaped]byte
	name := key.raw
	if !key.plain && len(name) <= longestEscaped {
		name = appendUnescaped(room[:0], name)
	}
	switch string(name) {
	case "id":
		return fieldID
	case "type":
		return fieldType
	case "from":
		return fieldFrom
	case "to":
		return fieldTo
	case "ts":
		return fieldTimestamp
	case "payload":
		return fieldPayload
	case "replyTo":
		return fieldReplyTo
	}
	return fieldOther
}
